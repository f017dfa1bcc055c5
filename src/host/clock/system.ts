/** The machine's own time and chance. */
import { randomBytes } from 'node:crypto'
import type { Clock } from './port.ts'

export function systemClock(): Clock {
  return { nowMs: Date.now, elapsedMs, sleep, randomBytes: length => new Uint8Array(randomBytes(length)) }
}

/** CLOCK_MONOTONIC of clock_gettime(2). */
function elapsedMs(): number {
  return Number(process.hrtime.bigint()) / 1_000_000
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    function onAbort(): void {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
