/**
 * Request ids and joining (spec §16). A caller that lost its connection sends the same request with the same id again and is attached to
 * the first one: to its stream while it runs, to its result and the kept part of its output afterwards, and the work is done once. The
 * same id with anything else is refused. Nothing here knows of HTTP; what a request asks for is known by a digest only.
 */
import { GearError, limits, type RequestId } from '../api/index.ts'
import type { Output } from './output.ts'

export interface Request {
  /** The id the caller gave; without one the request is never joined. */
  readonly id: RequestId | undefined
  /** Of method, path, query, body and everything else that decides what is done. */
  readonly digest: string
  /** A request that changes nothing, or only follows what goes on by itself, ends when nobody waits for it; a change is carried through. */
  readonly isRead: boolean
}

export interface Result<Value> {
  readonly value: Value
  /** What keeping the value costs. */
  readonly sizeBytes: number
  /** The text that goes on after the result is there. */
  readonly output?: Output
  /** When all is done, the output too. Never rejects. */
  readonly ended: Promise<void>
}

/** Does the work. The signal aborts when nobody waits for a read any more, and at shutdown. */
export type Work<Value> = (signal: AbortSignal) => Promise<Result<Value>>

/** One caller's interest in a request. */
export interface Visit<Value> {
  readonly result: Promise<Result<Value>>
  /** The caller has what it wanted, or is gone. Calling it again does nothing. */
  leave(): void
}

export interface RequestBounds {
  readonly requestsRemembered: number
  readonly requestReplayBytes: number
  readonly requestsReplayBytes: number
}

interface Entry<Value> extends Request {
  result: Promise<Result<Value>>
  readonly controller: AbortController
  output: Output | undefined
  visits: number
  isFinished: boolean
  /** What the entry costs once it is finished. */
  keptBytes: number
}

export class Requests<Value> {
  readonly #bounds: RequestBounds
  readonly #byId = new Map<RequestId, Entry<Value>>()
  readonly #running = new Set<Entry<Value>>()
  /** Oldest first. */
  readonly #finished = new Set<Entry<Value>>()
  #keptBytes = 0
  #idle: (() => void) | undefined

  constructor(bounds: RequestBounds = limits) {
    this.#bounds = bounds
  }

  /** Attaches to the request of this id, or starts it. Throws REQUEST_ID_REUSED when the id stands for a different request. */
  open(request: Request, work: Work<Value>): Visit<Value> {
    const known = request.id === undefined ? undefined : this.#byId.get(request.id)
    if (known === undefined) return this.#attach(this.#start(request, work))
    if (known.digest === request.digest) return this.#attach(known)
    throw new GearError('REQUEST_ID_REUSED', `The request id ${request.id} was used before for a different request`)
  }

  /** Ends all reads with the reason; changes go on. Resolves when nothing runs any more. */
  async stop(reason: GearError): Promise<void> {
    for (const entry of this.#running) if (entry.isRead) entry.controller.abort(reason)
    if (this.#running.size === 0) return
    await new Promise<void>(resolve => {
      this.#idle = resolve
    })
  }

  get runningCount(): number {
    return this.#running.size
  }

  get rememberedCount(): number {
    return this.#finished.size
  }

  /** Bytes kept for repeats of finished requests. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  #start(request: Request, work: Work<Value>): Entry<Value> {
    const controller = new AbortController()
    const result = work(controller.signal)
    const entry: Entry<Value> = { ...request, result, controller, output: undefined, visits: 0, isFinished: false, keptBytes: 0 }
    if (entry.id !== undefined) this.#byId.set(entry.id, entry)
    this.#running.add(entry)
    result.then(
      ({ output, sizeBytes, ended }) => {
        entry.output = output
        if (output !== undefined) output.isAbandoned = entry.visits === 0
        return ended.then(() => this.#finish(entry, sizeBytes))
      },
      error => this.#fail(entry, error),
    )
    return entry
  }

  #attach(entry: Entry<Value>): Visit<Value> {
    entry.visits += 1
    if (entry.output !== undefined) entry.output.isAbandoned = false
    let isHere = true
    const leave = (): void => {
      if (!isHere) return
      isHere = false
      this.#leave(entry)
    }
    return { result: entry.result, leave }
  }

  #leave(entry: Entry<Value>): void {
    entry.visits -= 1
    if (entry.visits > 0 || entry.isFinished) return
    if (entry.output !== undefined) entry.output.isAbandoned = true
    if (!entry.isRead) return
    this.#forget(entry)
    entry.controller.abort()
  }

  #finish(entry: Entry<Value>, sizeBytes: number): void {
    this.#settle(entry)
    if (entry.id === undefined || this.#byId.get(entry.id) !== entry) return
    entry.keptBytes = sizeBytes + (entry.output?.keptBytes ?? 0)
    this.#keptBytes += entry.keptBytes
    this.#finished.add(entry)
    if (sizeBytes > this.#bounds.requestReplayBytes) this.#shed(entry)
    this.#evict()
  }

  /** A failure is a result like any other, except where the caller is told to send the same request again. */
  #fail(entry: Entry<Value>, error: unknown): void {
    this.#settle(entry)
    const isTemporary = error instanceof GearError && error.entry.status === 503
    if (isTemporary) this.#forget(entry)
    if (entry.id === undefined || this.#byId.get(entry.id) !== entry) return
    this.#finished.add(entry)
    this.#evict()
  }

  #settle(entry: Entry<Value>): void {
    entry.isFinished = true
    this.#running.delete(entry)
    if (this.#running.size === 0) this.#idle?.()
  }

  #evict(): void {
    for (const entry of this.#finished) {
      if (this.#finished.size <= this.#bounds.requestsRemembered) break
      this.#forget(entry)
    }
    for (const entry of this.#finished) {
      if (this.#keptBytes <= this.#bounds.requestsReplayBytes) break
      this.#shed(entry)
    }
  }

  /** Gives up what an entry keeps. Its output is replaced by a notice; a read without its value is simply done anew. */
  #shed(entry: Entry<Value>): void {
    if (entry.output === undefined && entry.isRead) {
      this.#forget(entry)
      return
    }
    this.#keptBytes -= entry.keptBytes
    entry.keptBytes = 0
    if (entry.output !== undefined) {
      entry.output.discard()
      return
    }
    entry.result = Promise.reject(
      new GearError('REQUEST_ID_REUSED', `The request ${entry.id} was carried out before, and its answer was too large to be kept`),
    )
    entry.result.catch(() => undefined)
  }

  #forget(entry: Entry<Value>): void {
    if (entry.id !== undefined && this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id)
    if (this.#finished.delete(entry)) this.#keptBytes -= entry.keptBytes
  }
}
