import { describe, expect, test } from 'vitest'
import { clockSuite } from './clock.suite.ts'
import { FakeClock } from './fake.ts'
import { systemClock } from './system.ts'

describe('the fake clock', () => {
  clockSuite(() => {
    const clock = new FakeClock()
    return { clock, pass: ms => clock.advance(ms) }
  })

  test('sleepers wake in the order of their times, and what they do next is waited for', async () => {
    const clock = new FakeClock()
    const woken: string[] = []
    const first = clock.sleep(10).then(async () => {
      woken.push('first')
      await clock.sleep(5)
      woken.push('first again')
    })
    const second = clock.sleep(12).then(() => woken.push('second'))
    await clock.advance(20)
    await Promise.all([first, second])
    expect(woken).toEqual(['first', 'second', 'first again'])
  })

  test('its wall clock can be set, which no time passes by', async () => {
    const clock = new FakeClock()
    const before = { nowMs: clock.nowMs(), elapsedMs: clock.elapsedMs() }
    void clock.sleep(1)
    clock.jump(86_400_000)
    await clock.advance(0)
    expect(clock.nowMs() - before.nowMs).toBe(86_400_000)
    expect(clock.elapsedMs()).toBe(before.elapsedMs)
    expect(clock.sleeping).toBe(1)
  })

  test('time stands still until it is moved', async () => {
    const clock = new FakeClock()
    const startMs = clock.nowMs()
    void clock.sleep(1)
    expect(clock.sleeping).toBe(1)
    expect(clock.nowMs()).toBe(startMs)
  })
})

describe('the system clock', () => {
  clockSuite(() => ({ clock: systemClock(), pass: async () => {} }))
})
