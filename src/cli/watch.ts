/** Looking at hosts again and again, all at once, and showing what has become of them. A host that fails stays on the page with what it last said. */
import { GearError } from '../api/index.ts'
import type { Client } from '../client/index.ts'
import { printHost } from '../formats/index.ts'
import type { HostTargets } from './arguments.ts'
import { type Context, Interruption } from './context.ts'
import type { CommonFlags } from './flags.ts'
import { errorText } from './render/errors.ts'
import { screenOn } from './render/screen.ts'
import { fold } from './render/wrap.ts'
import { clientsOf } from './run.ts'

export interface View<Value> {
  readonly host: string
  /** Undefined until the host has answered once. */
  readonly value: Value | undefined
  /** The answer before that. */
  readonly previous: Value | undefined
  /** Why it did not answer the last time. */
  readonly error: unknown
}

export interface Watch<Value> {
  readonly groups: readonly HostTargets<unknown>[]
  readonly ask: (client: Client, signal: AbortSignal) => Promise<Value>
  readonly page: (views: readonly View<Value>[]) => string
  readonly intervalMs: number
}

/** Longest wait for one answer. */
const answerMs = 5000
/** So long the others wait for a host before they are shown without it; it is not asked anew before it has answered or is given up. */
const patienceMs = 1500

/** Ends when it is interrupted, at the key q, or at once when no host answers at all. The exit code says which. */
export async function watchHosts<Value>(context: Context, flags: CommonFlags, watch: Watch<Value>): Promise<number> {
  const { signal, out, err } = context
  const clients = clientsOf(context, flags, watch.groups)
  context.endWithReader()
  const screen = screenOn(out)
  let lastPage = ''
  const keys = keysOn(context, () => void (lastPage !== '' && screen.show(lastPage)))
  const looks = watch.groups.map(({ host }) => newLook<Value>(printHost(host)))
  try {
    while (!signal.aborted && keys.ended === undefined) {
      const answers = looks.map(look => lookAgain(look, clients.of(look.view.host), watch, signal))
      await Promise.race([Promise.all(answers), context.delay(patienceMs, signal).catch(() => undefined), keys.end])
      if (signal.aborted) break
      const views = looks.map(({ view }) => view)
      const isNobodyLeft = looks.every(({ pending, view }) => pending === undefined && view.value === undefined)
      if (isNobodyLeft) {
        for (const { host, error } of views) await err.write(errorText(error, views.length > 1 ? host : ''))
        return 1
      }
      // Nothing is known of anybody yet.
      if (views.every(({ value, error }) => value === undefined && error === undefined)) continue
      const failures = views.filter(({ error }) => error !== undefined).map(({ host, error }) => errorText(error, host))
      // A line that is cut off does not say why.
      const silent = views
        .filter(({ value, error }) => value === undefined && error === undefined)
        .map(({ host }) => `${host}: no answer yet\n`)
      lastPage = watch.page(views) + fold([...silent, ...failures].join(''), out.isTerminal ? out.columns : Number.POSITIVE_INFINITY)
      await screen.show(lastPage)
      await Promise.race([context.pause(watch.intervalMs), keys.end])
    }
  } finally {
    keys.release()
    await screen.close()
    await clients.close()
  }
  if (keys.ended !== undefined) return keys.ended
  return signal.reason instanceof Interruption ? signal.reason.exitCode : 1
}

interface Keys {
  /** The exit code, once a key ended it. */
  readonly ended: number | undefined
  /** Resolves then. */
  readonly end: Promise<void>
  readonly release: () => void
}

/** On a terminal, keys come one by one and are not shown: q ends as in other programs of this kind, and Ctrl-C, which is a key then, as it always does. */
function keysOn({ streams, out, signal }: Context, onResize: () => void): Keys {
  const { promise: end, resolve } = Promise.withResolvers<void>()
  if (!out.isTerminal || streams.size() === undefined)
    return { ended: undefined, end: new Promise(() => undefined), release: () => undefined }
  let ended: number | undefined
  const finish = (exitCode: number) => {
    ended ??= exitCode
    resolve()
  }
  const release = streams.takeKeys(onResize)
  signal.addEventListener('abort', () => resolve(), { once: true })
  const read = async () => {
    for await (const bytes of streams.input()) {
      const typed = Buffer.from(bytes).toString('latin1')
      if (typed.includes('\u0003')) finish(new Interruption('SIGINT').exitCode)
      if (/[qQ]/.test(typed)) finish(0)
    }
  }
  void read().catch(() => undefined)
  return {
    get ended() {
      return ended
    },
    end,
    release,
  }
}

/** What is known of a host, and the question to it that is not answered yet. */
interface Look<Value> {
  view: View<Value>
  pending: Promise<void> | undefined
}

function newLook<Value>(host: string): Look<Value> {
  return { view: { host, value: undefined, previous: undefined, error: undefined }, pending: undefined }
}

/** Asks a host, unless it is being asked. Never fails. */
function lookAgain<Value>(look: Look<Value>, client: Client, { ask }: Watch<Value>, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.timeout(answerMs)
  look.pending ??= ask(client, AbortSignal.any([signal, patience])).then(
    value => {
      look.view = { host: look.view.host, value, previous: look.view.value, error: undefined }
      look.pending = undefined
    },
    (reason: unknown) => {
      const error = patience.aborted && !signal.aborted ? tooSlow(look.view.host) : reason
      look.view = { ...look.view, error }
      look.pending = undefined
    },
  )
  return look.pending
}

function tooSlow(host: string): GearError {
  return new GearError('HOST_UNREACHABLE', `The agent at ${host} has not answered within ${answerMs / 1000} s`)
}
