import { expect, test } from 'vitest'
import { mapBounded } from './map-bounded.ts'

test('no more than so many run at once, and the results keep their order', async () => {
  let running = 0
  let most = 0
  const results = await mapBounded([1, 2, 3, 4, 5, 6, 7], 3, async item => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < 8 - item; turn++) await Promise.resolve()
    running--
    return item * 10
  })
  expect(results).toEqual([10, 20, 30, 40, 50, 60, 70])
  expect(most).toBe(3)
})

test('after a failure nothing is begun, and what had begun has ended when it is thrown', async () => {
  const log: string[] = []
  const failing = mapBounded([1, 2, 3, 4], 2, async item => {
    log.push(`begin ${item}`)
    if (item === 1) throw new Error('no')
    await Promise.resolve()
    log.push(`end ${item}`)
  })
  await expect(failing).rejects.toThrow('no')
  expect(log).toEqual(['begin 1', 'begin 2', 'end 2'])
})
