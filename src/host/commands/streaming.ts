/**
 * Tools that work for long and talk meanwhile: their output is passed on as it comes, an abort ends them with all they have started, and one
 * may feed another. They are process groups of their own, so that Ctrl-C on a terminal reaches gear alone, which then clears up in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { commandFailed } from './errors.ts'
import { type Tool, toolEnvironment, tools } from './port.ts'

export interface Streaming {
  readonly tool: Tool
  readonly args: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  /** An abort kills it. Without one it runs to its end. */
  readonly signal?: AbortSignal
  /** An abort tells it to end, which it does at once but for what it clears up. */
  readonly isToldToEnd?: boolean
  /** What they answer is waited for before more is read, if it is a promise. */
  readonly onStdout?: (text: string) => unknown
  readonly onStderr?: (text: string) => unknown
  /** Exit codes that are no failure, beside 0. */
  readonly accepted?: readonly number[]
  /** Its standard input. */
  readonly input?: Streaming | AsyncIterable<Buffer>
  /** Who takes its standard output instead, if its first bytes are what is expected. */
  readonly output?: {
    readonly headBytes: number
    readonly isExpected: (head: Buffer) => boolean
    /** A failure of it ends the tool, and is the failure. */
    readonly take: (bytes: AsyncIterable<Buffer>) => Promise<void>
  }
}

/** What a tool and those that feed it ended with. */
export interface StreamingEnd {
  readonly exitCode: number
  /** The last of what it said on standard error, for a message. */
  readonly complaint: string
  /** Its standard output was what was expected, and has been taken. */
  readonly isTaken: boolean
}

const complaintBytes = 4096

/** Resolves when the tool and all that feed it have ended. A feeder's failure is the result when the tool itself has none. */
export async function stream(work: Streaming): Promise<StreamingEnd> {
  work.signal?.throwIfAborted()
  const chain = chainOf(work)
  const children: ChildProcess[] = []
  const kill = (): void => {
    for (const child of children) {
      killGroup(child, work.isToldToEnd === true ? 'SIGTERM' : 'SIGKILL')
      // what nobody takes would keep its end from being told
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
  }
  work.signal?.addEventListener('abort', kill, { once: true })
  try {
    let input = isTool(chain[0]?.input) ? undefined : chain[0]?.input
    const ends: Promise<StreamingEnd>[] = []
    for (const each of chain) {
      const { child, end } = begin(each, { input, isLast: each === work, fail: kill })
      children.push(child)
      ends.push(end)
      input = each === work ? undefined : (child.stdout ?? undefined)
    }
    const results = await Promise.allSettled(ends)
    work.signal?.throwIfAborted()
    for (const result of results) if (result.status === 'rejected') throw result.reason
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const last = done.at(-1)
    const failed = last?.exitCode === 0 ? done.find(({ exitCode }) => exitCode !== 0) : undefined
    return failed ?? last ?? { exitCode: 0, complaint: '', isTaken: false }
  } finally {
    work.signal?.removeEventListener('abort', kill)
  }
}

/** Feeders first. */
function chainOf(work: Streaming): readonly Streaming[] {
  return isTool(work.input) ? [...chainOf(work.input), work] : [work]
}

function isTool(input: Streaming['input']): input is Streaming {
  return input !== undefined && 'tool' in input
}

interface Surroundings {
  readonly input: AsyncIterable<Buffer> | undefined
  readonly isLast: boolean
  readonly fail: () => void
}

function begin(
  { tool, args, variables, onStdout, onStderr, output, accepted = [] }: Streaming,
  { input, isLast, fail }: Surroundings,
): { readonly child: ChildProcess; readonly end: Promise<StreamingEnd> } {
  const child = spawn(tools[tool].path, args, {
    env: { ...toolEnvironment, ...variables },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    cwd: '/',
    detached: true,
  })
  let complaint = ''
  const note = (text: string): unknown => {
    complaint = (complaint + text).slice(-complaintBytes)
    return onStderr?.(text)
  }
  passOn(child.stderr, note)
  if (isLast && output === undefined) passOn(child.stdout, text => onStdout?.(text))
  const feeding = input === undefined ? undefined : feed(input, child.stdin)
  const taking = output === undefined || child.stdout === null ? undefined : divert(child.stdout, output, text => onStdout?.(text))
  const failed = commandFailed.bind(undefined, tool, args)
  const end = new Promise<number>((resolve, reject) => {
    child.once('error', cause => reject(failed(cause)))
    // the exit of a feeder is told at once: its output belongs to the next of the chain
    child.once(isLast ? 'close' : 'exit', (code: number | null, signal: string | null) =>
      code === null ? reject(failed(new Error(`it was killed by ${signal}`))) : resolve(code),
    )
  })
  const all = Promise.all([end, feeding, taking]).catch((error: unknown) => {
    fail()
    throw error
  })
  const outcome = all.then(([code, , isTaken = false]) => {
    const exitCode = accepted.includes(code) ? 0 : code
    return { exitCode, complaint: complaint.trim(), isTaken }
  })
  return { child, end: outcome }
}

/** Who cannot take more slows the tool down. */
function passOn(from: Readable | null, take: (text: string) => unknown): void {
  const decoder = new StringDecoder('utf8')
  from?.on('data', (bytes: Buffer) => {
    const taken = take(decoder.write(bytes))
    if (!(taken instanceof Promise)) return
    from.pause()
    const goOn = (): void => void from.resume()
    taken.then(goOn, goOn)
  })
}

/** A tool that ends before it has read everything says why by its exit code. */
async function feed(from: AsyncIterable<Buffer>, to: Writable | null): Promise<void> {
  if (to === null) return
  await pipeline(from, to).catch(() => undefined)
}

/** True when it was taken, and not passed on. Nobody is asked to take anything before the first bytes are there. */
async function divert(
  from: Readable,
  { headBytes, isExpected, take }: NonNullable<Streaming['output']>,
  pass: (text: string) => unknown,
): Promise<boolean> {
  const chunks = from[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  let isEnded = false
  while (head.length < headBytes && !isEnded) {
    const next = await chunks.next()
    isEnded = next.done === true
    if (next.done !== true) head = Buffer.concat([head, next.value])
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    yield head
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
  }
  if (head.length >= headBytes && isExpected(head)) {
    await take(all())
    // what comes after its end: a tool that nobody reads from does not end
    while ((await chunks.next()).done !== true);
    return true
  }
  const decoder = new StringDecoder('utf8')
  for await (const bytes of all()) await pass(decoder.write(bytes))
  return false
}

/** All that the tool has started is in its group. */
function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // it has ended already
  }
}
