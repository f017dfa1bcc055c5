/** Limits of time on the host's clock. */
import type { Clock } from '../../host/index.ts'

export interface Deadline extends Disposable {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
}

/** Runs until it is disposed of. */
export function deadlineIn(clock: Clock, ms: number): Deadline {
  const over = new AbortController()
  const disposed = new AbortController()
  clock.sleep(ms, disposed.signal).then(
    () => over.abort(new Error(`${ms / 1000} seconds are over`)),
    () => undefined,
  )
  return { signal: over.signal, [Symbol.dispose]: () => disposed.abort() }
}
