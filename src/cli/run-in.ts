/** A command in one container, with the streams of this process: what `gear exec` and `gear shell` do. */
import type { Session } from '../api/index.ts'
import { piecesOf } from '../api/index.ts'
import { request } from '../client/index.ts'
import { readTargets } from './arguments.ts'
import { type Context, Interruption } from './context.ts'
import type { CommonFlags } from './flags.ts'
import { errorText } from './render/errors.ts'
import { UsageError } from './usage-error.ts'

export interface Running {
  readonly name: string
  readonly words: readonly string[]
  readonly hasInput: boolean
  readonly hasTerminal: boolean
  readonly user: string | undefined
}

/** The exit code of the command; 125 when it could not be run, as the engines' own tools have it. */
export async function runIn(context: Context, flags: CommonFlags, { name, words, hasInput, hasTerminal, user }: Running): Promise<number> {
  if (flags.output === 'json') throw new UsageError('--output json is for commands that report; this one passes on what another says')
  const [group] = readTargets([name], 'container')
  const [target] = group?.targets ?? []
  if (group === undefined || target === undefined) throw new UsageError('give one container: [host[:port]/]id')
  // Only then: a look at the input opens it, which takes as long as all the rest.
  const size = hasTerminal ? context.streams.size() : undefined
  if (hasTerminal && size === undefined) throw new UsageError('--tty needs a terminal as input and output')
  const client = context.connect(group.host, { tokenFile: flags.tokenFile ?? context.tokenFile })
  const body = { command: [...words], terminal: hasTerminal, input: hasInput, user: user ?? '', ...(hasTerminal ? size : {}) }
  const exec = request('execContainer', { params: { id: target.id }, body })
  let release: (() => void) | undefined
  try {
    const session = await client.open(exec, { signal: context.signal })
    if (hasTerminal) release = context.streams.takeKeys(changed => void session.write({ kind: 'size', ...changed }))
    if (hasInput) void passInput(context, session)
    else await session.write({ kind: 'end' })
    return await showOutput(context, session)
  } catch (error) {
    release?.()
    release = undefined
    if (error instanceof Interruption) return error.exitCode
    if (context.signal.aborted && context.signal.reason instanceof Interruption) return context.signal.reason.exitCode
    await context.err.write(errorText(error, ''))
    return failed
  } finally {
    release?.()
    await client.close()
  }
}

const failed = 125

/** Ends with the session: a read that waits for a key is left to the end of the process. */
export async function passInput(context: Context, session: Session): Promise<void> {
  for await (const bytes of context.streams.input())
    for (const piece of piecesOf(bytes)) await session.write({ kind: 'input', bytes: piece })
  await session.write({ kind: 'end' })
}

/** Passes on what the other side says, and answers its exit code. */
export async function showOutput(context: Context, session: Session): Promise<number> {
  context.endWithReader()
  for await (const output of session.output) {
    if (output.kind === 'exit') return output.exitCode
    await context.streams.write(output.kind, output.bytes)
  }
  return failed
}
