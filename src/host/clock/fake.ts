/** A clock that moves only when it is told to, and chance that repeats itself. */
import type { Clock } from './port.ts'

interface Sleeper {
  readonly wakeMs: number
  readonly wake: () => void
}

export class FakeClock implements Clock {
  #nowMs: number
  #random = 1
  readonly #sleepers = new Set<Sleeper>()

  /** Starts at 2026-01-01 00:00 UTC. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const sleeper: Sleeper = {
        wakeMs: this.#nowMs + ms,
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
    const endMs = this.#nowMs + ms
    for (;;) {
      await settled()
      const next = [...this.#sleepers].sort((a, b) => a.wakeMs - b.wakeMs)[0]
      if (next === undefined || next.wakeMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, next.wakeMs)
      next.wake()
    }
    this.#nowMs = endMs
  }
}

/** Resolves when everything that can go on without time passing has gone on. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
