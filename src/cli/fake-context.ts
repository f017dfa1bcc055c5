/** A command line for tests: what it prints is kept, and hosts are handlers in this process. */
import type { Handlers, RequestId } from '../api/index.ts'
import { type Client, localClient } from '../client/index.ts'
import { type LocatorHost, printHost } from '../formats/index.ts'
import { runCommandLine } from './app.ts'
import type { Context, Output } from './context.ts'

export interface Setup {
  /** The hosts there are, with the operations they carry out: `local`, `node7:43273`. */
  readonly hosts?: Readonly<Record<string, Partial<Handlers>>>
  readonly files?: Readonly<Record<string, string>>
  readonly input?: string
  /** Where files are written to; those that are there are not overwritten. */
  readonly written?: Map<string, string>
  readonly isTerminal?: boolean
  readonly columns?: number
  readonly rows?: number
  /** What is answered to questions; without it there is nobody to ask. */
  readonly onQuestion?: (question: string) => boolean
  /** Runs at every pause instead of it; the clock goes on by its length. */
  readonly onPause?: (waitMs: number) => void
  readonly signal?: AbortSignal
  readonly platform?: string
  readonly tokenFile?: string
  readonly variables?: Readonly<Record<string, string>>
  /** Instead of handlers. */
  readonly connect?: Context['connect']
}

export interface Result {
  readonly out: string
  readonly err: string
  readonly exitCode: number
}

/** Runs a command line: `gear start node7/web-1`. Words are divided at spaces; give a list where they hold some. */
export async function gear(words: string | readonly string[], setup: Setup = {}): Promise<Result> {
  const out = keepingOutput(setup)
  const err = keepingOutput(setup)
  let nowMs = 0
  const context: Context = {
    version: '1.2.3',
    platform: setup.platform ?? 'linux',
    out: out.output,
    err: err.output,
    signal: setup.signal ?? new AbortController().signal,
    tokenFile: setup.tokenFile,
    confirm: setup.onQuestion === undefined ? undefined : async question => setup.onQuestion?.(question) ?? false,
    nowMs: () => nowMs,
    pause: async waitMs => {
      nowMs += waitMs
      setup.onPause?.(waitMs)
    },
    variable: name => setup.variables?.[name],
    connect: setup.connect ?? (host => clientOf(host, setup.hosts ?? {})),
    createFile: async (path, text) => {
      const isNew = setup.written?.has(path) !== true
      if (isNew) setup.written?.set(path, text)
      return isNew
    },
    replaceFile: async (path, text) => void setup.written?.set(path, text),
    // Short waits are over at once, long ones when they are called off.
    delay: (waitMs, signal) =>
      waitMs <= 1000
        ? Promise.resolve()
        : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    identity: () => 'ann@ops1',
    readTextFile: async path => {
      const text = setup.files?.[path]
      if (text === undefined) throw new Error('no such file')
      return text
    },
    saveBytes: async (bytes, path) => {
      for await (const piece of bytes) await out.output.write(`${path}: ${Buffer.from(piece).toString()}\n`)
    },
    streams: {
      input: async function* () {
        if (setup.input !== undefined) yield Buffer.from(setup.input)
      },
      write: (stream, bytes) => (stream === 'stdout' ? out : err).output.write(Buffer.from(bytes).toString()),
      size: () => (setup.isTerminal ? { columns: setup.columns ?? 80, rows: 24 } : undefined),
      takeKeys: () => () => undefined,
    },
    endWithReader: () => undefined,
    readInput: async () => setup.input ?? '',
  }
  const list = typeof words === 'string' ? words.split(' ').filter(word => word !== '') : words
  const exitCode = await runCommandLine(list, context)
  return { out: out.text(), err: err.text(), exitCode }
}

function clientOf(host: LocatorHost, hosts: Readonly<Record<string, Partial<Handlers>>>): Client {
  const handlers = hosts[printHost(host)]
  if (handlers === undefined) throw new Error(`the test has no host ${printHost(host)}`)
  let drawn = 0
  const opened = { handlers: handlers as Handlers, [Symbol.asyncDispose]: async () => undefined }
  return localClient(opened, () => `request-${++drawn}` as RequestId)
}

function keepingOutput({ isTerminal = false, columns = 80, rows = 24 }: Setup): { readonly output: Output; readonly text: () => string } {
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  return { output: { write, draw: write, isTerminal, columns, rows }, text: () => text }
}
