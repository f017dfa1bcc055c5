/**
 * The hosts of a deploy: a client for each, who is out of reach, and work done on many of them at once: in order on each host, hosts beside
 * each other. A host that does not answer is not asked again, so that a dead one costs the wait for it once.
 */
import { GearError, limits, type OperationName } from '../../api/index.ts'
import type { Answer, Client, Request, Wants } from '../../client/index.ts'
import { type LocatorHost, printHost } from '../../formats/index.ts'
import { mapBounded } from '../../lib/index.ts'
import { hostKey } from './members.ts'

export interface HostsOptions {
  readonly connect: (host: LocatorHost) => Client
  /** No piece of work begins after it aborts; what is begun is carried through. */
  readonly signal: AbortSignal
  /** Longest wait for the answer to one call. */
  readonly callMs?: number
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
}

interface CallLimits {
  readonly limitMs?: number
  readonly signal?: AbortSignal
  /** The host is asked though it was lost, and is not lost when it does not answer this. */
  readonly isTolerant?: boolean
}

export class Hosts {
  readonly #connect: (host: LocatorHost) => Client
  readonly #clients = new Map<string, Client>()
  readonly #lost = new Map<string, GearError>()
  readonly #callMs: number
  readonly #pause: HostsOptions['pause']
  /** Hosts that have answered, by `hostKey`. */
  readonly #answered = new Set<string>()
  readonly signal: AbortSignal

  constructor({ connect, signal, callMs = limits.deployCallMs, pause }: HostsOptions) {
    this.#connect = connect
    this.#pause = pause
    this.#callMs = Math.min(callMs, limits.deployCallMs)
    this.signal = signal
  }

  /** Why a host cannot be asked any more. */
  lossOf(host: LocatorHost): GearError | undefined {
    return this.#lost.get(hostKey(host))
  }

  /** Notes that a host is not to be asked any more. The first reason stays; what fails because of it fails with the same error. */
  lose(host: LocatorHost, error: GearError): GearError {
    const known = this.lossOf(host) ?? error
    this.#lost.set(hostKey(host), known)
    return known
  }

  /** One call, with a limit to how long its answer may take. Throws GearError, at once for a host that was lost. */
  async call<Name extends OperationName, Form extends Wants>(
    host: LocatorHost,
    request: Request<Name, Form>,
    options: CallLimits = {},
  ): Promise<Answer<Name, Form>> {
    const lost = this.lossOf(host)
    if (lost !== undefined && options.isTolerant !== true) throw lost
    const limitMs = options.limitMs ?? this.#callMs
    const late = AbortSignal.timeout(limitMs)
    try {
      const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal])
      const answer = await this.#insistently(host, () => this.#clientOf(host).call(request, { signal }), signal)
      this.#answered.add(hostKey(host))
      return answer
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      const known = late.aborted ? silent(host, limitMs) : error
      const isLost = known instanceof GearError && known.code === 'HOST_UNREACHABLE' && options.isTolerant !== true
      throw isLost ? this.lose(host, known) : known
    }
  }

  /** An agent that is being restarted refuses calls for a moment; nothing of such a call was done, so it is made again. */
  async #insistently<Result>(host: LocatorHost, call: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        if (attempt === attemptsMax || !this.#isRestarting(host, error)) throw error
        await this.#pause(restartMs, signal)
      }
    }
  }

  #isRestarting(host: LocatorHost, error: unknown): boolean {
    if (!(error instanceof GearError)) return false
    const isRefused = (error.cause as { readonly code?: string } | undefined)?.code === 'ECONNREFUSED'
    return error.code === 'WRITER_BUSY' || (isRefused && this.#answered.has(hostKey(host)))
  }

  /** Works through items, each on its host: those of one host in order. Ends quietly, with the rest not begun, when the signal aborts. */
  async each<Item>(items: readonly Item[], hostOf: (item: Item) => LocatorHost, work: (item: Item) => Promise<void>): Promise<void> {
    const groups = [...Map.groupBy(items, item => hostKey(hostOf(item))).values()]
    await mapBounded(groups, limits.hostsAtOnce, async group => {
      for (const item of group) {
        if (this.signal.aborted) return
        await work(item)
      }
    })
  }

  #clientOf(host: LocatorHost): Client {
    const key = hostKey(host)
    const client = this.#clients.get(key) ?? this.#connect(host)
    this.#clients.set(key, client)
    return client
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close()
  }
}

/** Whether what was asked for may have been done although the call failed: it was sent, and its host did not answer to the end. */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof GearError) || error.code !== 'HOST_UNREACHABLE') return false
  return error.cause === undefined || (error.cause as { readonly stage?: string }).stage === 'answer'
}

const attemptsMax = 6
const restartMs = 1000

function silent(host: LocatorHost, limitMs: number): GearError {
  return new GearError('HOST_UNREACHABLE', `The agent of ${printHost(host)} did not answer within ${limitMs / 1000} s`)
}
