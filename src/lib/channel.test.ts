import { describe, expect, it } from 'vitest'
import { Channel } from './channel.ts'

async function collect<Item>(channel: AsyncIterable<Item>): Promise<Item[]> {
  const seen: Item[] = []
  for await (const item of channel) seen.push(item)
  return seen
}

describe('Channel', () => {
  it('iterates what was pushed, before and after the consumer began, and ends', async () => {
    const channel = new Channel<number>()
    channel.push(1)
    const seen = collect(channel)
    channel.push(2)
    await Promise.resolve()
    channel.push(3)
    channel.end()
    expect(await seen).toEqual([1, 2, 3])
  })

  it('gives what waits before it throws the failure', async () => {
    const channel = new Channel<number>()
    channel.push(1)
    channel.fail(new Error('gone'))
    const iterator = channel[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toBe(1)
    await expect(iterator.next()).rejects.toThrow('gone')
  })

  it('drops the oldest when the consumer is too slow', async () => {
    const channel = new Channel<number>(2)
    for (const item of [1, 2, 3]) channel.push(item)
    channel.end()
    expect(await collect(channel)).toEqual([2, 3])
  })
})
