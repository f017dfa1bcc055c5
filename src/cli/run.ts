/**
 * How a command runs for many ids on many hosts (spec §2.2): everything was checked before, hosts work beside each other, what they say is
 * printed in their order, errors come last, one line each. With `--output json` there is one document instead.
 */
import { type Client, type Outcome, runOnHosts } from '../client/index.ts'
import { printHost } from '../formats/index.ts'
import type { HostTargets } from './arguments.ts'
import { type Context, Interruption } from './context.ts'
import type { CommonFlags } from './flags.ts'
import { errorData, errorText } from './render/errors.ts'
import { noProgress, type Progress, progressOn } from './render/progress.ts'

/** One piece of work: an id on a host, or a host. */
export interface Task {
  readonly name: string
  readonly id?: string
}

export interface Call<Each> {
  readonly task: Each
  readonly client: Client
  readonly signal: AbortSignal
  /** Prints text for the user, in any pieces; with `--output json` it becomes `lines`. */
  readonly say: (text: string) => Promise<void>
  readonly progress: Progress
}

export interface Work<Each extends Task, Value extends object> {
  readonly groups: readonly HostTargets<Each>[]
  /** What it answers goes into the JSON document. */
  readonly run: (call: Call<Each>) => Promise<Value>
  /** Prints what was gathered; only for text. */
  readonly show?: (done: readonly Done<Each, Value>[]) => Promise<void>
  /** Lines as they come, for logs that are watched. */
  readonly isLive?: boolean
  /** What an interruption leaves to the host. None for commands that only look. */
  readonly change?: (task: Each, host: string) => Change
}

export interface Change {
  /** `The start of web-1` */
  readonly what: string
  /** The command that tells how it went. */
  readonly look: string
}

/** A command about a host, with its name unless it is this one. */
export function aboutHost(command: string, host: string): string {
  return host === 'local' ? command : `${command} ${host}`
}

export interface Done<Each, Value> {
  readonly host: string
  readonly task: Each
  readonly value: Value
}

/** The exit code: 0 when all is done, 1 when anything failed. */
export async function runWork<Each extends Task, Value extends object>(
  context: Context,
  flags: CommonFlags,
  work: Work<Each, Value>,
): Promise<number> {
  const { signal, out, err } = context
  const isJson = flags.output === 'json'
  if (work.isLive) context.endWithReader()
  const progress = isJson ? noProgress : progressOn(err)
  const clients = clientsOf(context, flags, work.groups)
  const said = new Map<Each, string>()
  const begun = new Set<Each>()
  const isSeveral = work.groups.flatMap(group => group.targets).length > 1
  const outcomes = await runOnHosts<Each, Value>(
    work.groups.map(group => ({ host: printHost(group.host), jobs: group.targets })),
    {
      run: (task, host, lines) => {
        begun.add(task)
        const say = isJson ? async (text: string) => void said.set(task, (said.get(task) ?? '') + text) : lines.write
        return work.run({ task, client: clients.of(host), signal, say, progress })
      },
      write: async text => {
        await progress.hide()
        await out.write(text)
      },
      prefixOf: host => (isSeveral ? `${host} ` : ''),
      order: work.isLive ? 'time' : 'hosts',
      signal,
    },
  )
  await progress.hide()
  await clients.close()
  const done = outcomes.flatMap(outcome => (outcome.isDone ? [{ host: outcome.host, task: outcome.job, value: outcome.value }] : []))
  const reason = signal.aborted ? signal.reason : undefined
  const interruption = reason instanceof Interruption ? reason : undefined
  if (isJson) await out.write(`${JSON.stringify(outcomes.map(outcome => documentOf(outcome, said.get(outcome.job))))}\n`)
  else {
    if (done.length > 0) await work.show?.(done)
    for (const outcome of outcomes) {
      if (!outcome.isDone && outcome.error !== reason) await err.write(errorText(outcome.error, isSeveral ? outcome.job.name : ''))
    }
  }
  if (interruption !== undefined) {
    if (!interruption.isSilent && work.change !== undefined) await err.write(interruptedText(outcomes, begun, interruption, work.change))
    return interruption.exitCode
  }
  return done.length === outcomes.length ? 0 : 1
}

/** One client per host, all made before anything is sent. */
export function clientsOf(context: Context, flags: CommonFlags, groups: readonly HostTargets<unknown>[]) {
  const tokenFile = flags.tokenFile ?? context.tokenFile
  const byHost = new Map(groups.map(({ host }) => [printHost(host), context.connect(host, { tokenFile })]))
  return {
    of(host: string): Client {
      const client = byHost.get(host)
      if (client === undefined) throw new Error(`there is no client for ${host}`)
      return client
    },
    async close(): Promise<void> {
      for (const client of byHost.values()) await client.close()
    },
  }
}

function documentOf<Each extends Task, Value extends object>(outcome: Outcome<Each, Value>, text: string | undefined): object {
  const { host, job } = outcome
  const subject = job.id === undefined ? { host } : { host, id: job.id }
  const lines = text === undefined ? {} : { lines: text.replace(/\n$/, '').split('\n') }
  if (outcome.isDone) return { ...subject, ok: true, ...outcome.value, ...lines }
  const error = outcome.error instanceof Interruption ? { message: outcome.error.message } : errorData(outcome.error)
  return { ...subject, ok: false, error, ...lines }
}

function interruptedText<Each extends Task, Value>(
  outcomes: readonly Outcome<Each, Value>[],
  begun: ReadonlySet<Each>,
  interruption: Interruption,
  change: (task: Each, host: string) => Change,
): string {
  const lines = ['Interrupted.']
  for (const outcome of outcomes) {
    if (outcome.isDone || outcome.error !== interruption) continue
    const { what, look } = change(outcome.job, outcome.host)
    if (begun.has(outcome.job)) lines.push(`${what} on ${outcome.host} was asked for; what arrived there goes on. See: ${look}`)
    else lines.push(`${what} on ${outcome.host} was not asked for.`)
  }
  return `${lines.join('\n')}\n`
}
