/**
 * The same work on many hosts: hosts beside each other, the jobs of one host in their order. What the hosts print comes out in the order of
 * the hosts all the same (or as it comes, where people watch), line by line, each line with its host where there are several.
 */
import { GearError, limits } from '../api/index.ts'
import { mapBounded } from '../lib/index.ts'
import { ConnectionError } from './transport.ts'

export interface HostJobs<Job> {
  /** As the user wrote it: `node7:43273`, or `local`. */
  readonly host: string
  readonly jobs: readonly Job[]
}

export type Outcome<Job, Value> =
  | { readonly host: string; readonly job: Job; readonly isDone: true; readonly value: Value }
  | { readonly host: string; readonly job: Job; readonly isDone: false; readonly error: unknown }

export interface RunOptions<Job, Value> {
  readonly run: (job: Job, host: string, lines: LineWriter) => Promise<Value>
  /** Must not fail: whoever loses the output aborts the signal. */
  readonly write: (text: string) => Promise<void>
  /** Put before each line: `host[:port] ` when there is more than one job in total (spec §2.2). */
  readonly prefixOf: (host: string) => string
  /** `hosts`: the lines of one host after those of another. `time`: lines as they come. */
  readonly order: 'hosts' | 'time'
  readonly signal: AbortSignal
}

export interface LineWriter {
  /** Text in any pieces; resolves when more can be taken. */
  write(text: string): Promise<void>
  /** Ends a line that was begun. */
  endLine(): Promise<void>
}

/** The outcomes, in the order of the hosts and of their jobs. A failed job does not keep the next from being tried, unless its host cannot be reached. */
export async function runOnHosts<Job, Value>(
  groups: readonly HostJobs<Job>[],
  { run, write, prefixOf, order, signal }: RunOptions<Job, Value>,
): Promise<readonly Outcome<Job, Value>[]> {
  const turns = new Turns(write)
  const tasks = groups.map(group => {
    const turn = order === 'hosts' ? turns.next() : { write, end: () => undefined }
    return async () => {
      try {
        return await runInOrder(group, run, () => lineWriter(turn.write, prefixOf(group.host)), signal)
      } finally {
        turn.end()
      }
    }
  })
  const outcomes = await mapBounded(tasks, limits.hostsAtOnce, task => task())
  await turns.last
  return outcomes.flat()
}

async function runInOrder<Job, Value>(
  { host, jobs }: HostJobs<Job>,
  run: RunOptions<Job, Value>['run'],
  newLines: () => LineWriter,
  signal: AbortSignal,
): Promise<readonly Outcome<Job, Value>[]> {
  const outcomes: Outcome<Job, Value>[] = []
  let lost: unknown
  for (const job of jobs) {
    const lines = newLines()
    try {
      if (lost !== undefined) throw lost
      signal.throwIfAborted()
      const value = await run(job, host, lines)
      outcomes.push({ host, job, isDone: true, value })
    } catch (error) {
      if (isUnreachable(error)) lost = error
      outcomes.push({ host, job, isDone: false, error })
    }
    await lines.endLine()
  }
  return outcomes
}

/** Waiting for the same silent host once per job would be long, and each wait would say the same; so would each refusal of a token. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof GearError && error.code === 'TOKEN_REQUIRED') return true
  return error instanceof GearError && error.cause instanceof ConnectionError && error.cause.stage === 'connect'
}

/** A line longer than this is broken, so that text without line ends needs no more memory. */
const lineCharactersMax = limits.logLineBytes

function lineWriter(write: (text: string) => Promise<void>, prefix: string): LineWriter {
  let rest = ''
  const flush = async () => {
    const line = rest
    rest = ''
    if (line !== '') await write(`${prefix}${line}\n`)
  }
  return {
    async write(text) {
      const end = text.lastIndexOf('\n')
      if (end >= 0) {
        const whole = rest + text.slice(0, end)
        rest = text.slice(end + 1)
        await write(prefix === '' ? `${whole}\n` : `${prefix}${whole.replaceAll('\n', `\n${prefix}`)}\n`)
      } else {
        rest += text
      }
      if (rest.length > lineCharactersMax) await flush()
    },
    endLine: flush,
  }
}

/** How much of a later host's text is held while an earlier one still prints; then its job waits. */
const heldCharactersMax = 1_048_576

/** Writers that print one after the other, in the order in which they were made: the first directly, the others hold their text until it is their turn. */
class Turns {
  readonly #write: (text: string) => Promise<void>
  #last: Promise<void> = Promise.resolve()

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write
  }

  /** Resolves when all writers made so far have ended and their text is written. */
  get last(): Promise<void> {
    return this.#last
  }

  next(): { write(text: string): Promise<void>; end(): void } {
    let held: string[] | undefined = []
    let heldCharacters = 0
    const turn = this.#last.then(async () => {
      const text = held?.join('') ?? ''
      held = undefined
      if (text !== '') await this.#write(text)
    })
    const ended = Promise.withResolvers<void>()
    this.#last = ended.promise
    return {
      write: async text => {
        if (held !== undefined) {
          held.push(text)
          heldCharacters += text.length
          if (heldCharacters > heldCharactersMax) await turn
        } else {
          await turn
          await this.#write(text)
        }
      },
      end: () => ended.resolve(turn),
    }
  }
}
