/** What every clock does. `pass` lets time pass, or lets it be known that it passes by itself. */
import { expect, test } from 'vitest'
import type { Clock } from './port.ts'

export function clockSuite(make: () => { readonly clock: Clock; readonly pass: (ms: number) => Promise<void> }): void {
  test('time goes on by at least what was slept', async () => {
    const { clock, pass } = make()
    const before = { nowMs: clock.nowMs(), elapsedMs: clock.elapsedMs() }
    await Promise.all([clock.sleep(20), pass(20)])
    // timers may fire up to a millisecond early
    expect(clock.nowMs() - before.nowMs).toBeGreaterThanOrEqual(19)
    expect(clock.elapsedMs() - before.elapsedMs).toBeGreaterThanOrEqual(19)
  })

  test('a sleep ends with the reason of the signal that aborts it', async () => {
    const { clock } = make()
    const abort = new AbortController()
    const sleep = clock.sleep(60_000, abort.signal)
    abort.abort(new Error('enough'))
    await expect(sleep).rejects.toThrow('enough')
    await expect(clock.sleep(60_000, abort.signal)).rejects.toThrow('enough')
  })

  test('random bytes are as many as asked for and differ from call to call', () => {
    const { clock } = make()
    expect(clock.randomBytes(16)).toHaveLength(16)
    expect(clock.randomBytes(16)).not.toEqual(clock.randomBytes(16))
  })
}
