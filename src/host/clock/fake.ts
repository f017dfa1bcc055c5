/** A clock that moves only when it is told to, and chance that repeats itself. */
import type { Clock } from './port.ts'

interface Sleeper {
  readonly wakeMs: number
  readonly wake: () => void
}

export class FakeClock implements Clock {
  /** What the wall clock said when the host booted. */
  #bootMs: number
  #elapsedMs = 0
  #random = 1
  readonly #sleepers = new Set<Sleeper>()

  /** Starts at 2026-01-01 00:00 UTC. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#bootMs = startMs
  }

  nowMs(): number {
    return this.#bootMs + this.#elapsedMs
  }

  elapsedMs(): number {
    return this.#elapsedMs
  }

  /** Sets the wall clock ahead, or back by less than nothing; no time passes. */
  jump(ms: number): void {
    this.#bootMs += ms
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const sleeper: Sleeper = {
        wakeMs: this.#elapsedMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.add(sleeper)
    })
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => {
      this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes' generator
      return this.#random >>> 24
    })
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Lets time pass, waking sleepers at their time and in their order; what they do next may sleep and be woken as well. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    for (;;) {
      await settled()
      const next = [...this.#sleepers].sort((a, b) => a.wakeMs - b.wakeMs)[0]
      if (next === undefined || next.wakeMs > endMs) break
      this.#elapsedMs = Math.max(this.#elapsedMs, next.wakeMs)
      next.wake()
    }
    this.#elapsedMs = endMs
  }
}

/** Resolves when everything that can go on without time passing has gone on. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
