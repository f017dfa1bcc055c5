import { describe, expect, it } from 'vitest'
import { Handover } from './handover.ts'

describe('Handover', () => {
  it('holds the producer up until its item is taken', async () => {
    const handover = new Handover<number>()
    const taken: number[] = []
    const put = handover.put(1).then(() => taken.push(1))
    const items = handover[Symbol.asyncIterator]()
    expect(await items.next()).toEqual({ value: 1, done: false })
    expect(taken).toEqual([])
    const next = items.next()
    await put
    expect(taken).toEqual([1])
    void handover.put(2)
    expect(await next).toEqual({ value: 2, done: false })
    handover.end()
    expect((await items.next()).done).toBe(true)
  })

  it('gives what was put before its end', async () => {
    const handover = new Handover<number>()
    void handover.put(1)
    handover.end()
    const seen: number[] = []
    for await (const item of handover) seen.push(item)
    expect(seen).toEqual([1])
  })

  it('throws at the consumer when it failed, and lets the producer go', async () => {
    const handover = new Handover<number>()
    const items = handover[Symbol.asyncIterator]()
    const next = items.next()
    handover.fail(new Error('gone'))
    await expect(next).rejects.toThrow('gone')
    await handover.put(1)
  })

  it('does not fail after its end', async () => {
    const handover = new Handover<number>()
    handover.end()
    handover.fail(new Error('gone'))
    expect((await handover[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  it('drops what is put once the consumer has left', async () => {
    const handover = new Handover<number>()
    const put = handover.put(1)
    for await (const _ of handover) break
    await put
    await handover.put(2)
  })
})
