import { describe, expect, it } from 'vitest'
import type { ContainerId } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { portLink } from '../layout/index.ts'
import { PortAllocator } from './allocator.ts'
import { PortStore } from './store.ts'

function setUp(first: number, last: number, taken: readonly number[] = []) {
  const host = fakeHost()
  for (const port of taken) host.files.putLink('/var/lib/containers/units/ot/other/request', portLink(host.paths, port))
  return { host, allocator: new PortAllocator(host, first, last) }
}

async function take(allocator: PortAllocator, count: number): Promise<number[]> {
  const ports: number[] = []
  for (let index = 0; index < count; index++) ports.push(await allocator.next())
  return ports
}

describe('allocating ports', () => {
  it('hands free ports out in ascending order and passes over what is reserved', async () => {
    const { allocator } = setUp(40_000, 40_010, [40_001])
    expect(await take(allocator, 3)).toEqual([40_000, 40_002, 40_003])
  })

  it('keeps to the range, whose ends need not be those of a block', async () => {
    const { allocator } = setUp(4098, 4101)
    expect(await take(allocator, 6)).toEqual([4098, 4099, 4100, 4101, 4098, 4099])
  })

  it('comes round again to what was handed out and not used, and not to what was used', async () => {
    const { host, allocator } = setUp(4000, 4003)
    const [first = 0, second = 0] = await take(allocator, 2)
    await new PortStore(host).reserve([second], '/var/lib/containers/units/sh/shop/request')
    expect(await take(allocator, 4)).toEqual([4002, 4003, first, 4002])
  })

  it('passes over ports that were reserved by name after their block was listed', async () => {
    const { host, allocator } = setUp(4000, 4099)
    await allocator.next()
    await new PortStore(host).reserve([4001, 4002], '/var/lib/containers/units/sh/shop/request')
    expect(await allocator.next()).toBe(4003)
  })

  it('passes over ports that a program listens on', async () => {
    const { host, allocator } = setUp(4000, 4005)
    host.network.listening.add(4000).add(4001)
    expect(await allocator.next()).toBe(4002)
  })

  it('lists a block once, however many of its ports it hands out', async () => {
    const { host, allocator } = setUp(4000, 59_999)
    await take(allocator, 150)
    const listings = host.files.calls.filter(call => call.startsWith('list '))
    expect(listings).toEqual(['list /var/lib/containers/ports/interfaces/1/40', 'list /var/lib/containers/ports/interfaces/1/41'])
  })

  it('says that there is none when all are reserved or listened on', async () => {
    const { host, allocator } = setUp(4000, 4002, [4000, 4002])
    host.network.listening.add(4001)
    await expect(allocator.next()).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED', message: expect.stringMatching(/4000.*4002/) })
  })

  it('finds the one free port wherever the walk stands, and again when it is given back', async () => {
    const taken = Array.from({ length: 300 }, (_, index) => 4000 + index).filter(port => port !== 4150)
    const { host, allocator } = setUp(4000, 4299, taken)
    expect(await take(allocator, 2)).toEqual([4150, 4150])
    const store = new PortStore(host)
    const version = '/var/lib/containers/units/sh/shop/request'
    await store.reserve([4150], version)
    await expect(allocator.next()).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED' })
    await store.release('shop' as ContainerId, [4150])
    expect(await allocator.next()).toBe(4150)
  })

  it('goes on after a listing that failed', async () => {
    const { host, allocator } = setUp(4000, 4099)
    host.files.fail('list', '*', new Error('no such device'))
    await expect(allocator.next()).rejects.toThrow()
    expect(await allocator.next()).toBe(4000)
  })

  it('never gives one port to two that ask at once', async () => {
    const { allocator } = setUp(4000, 59_999, [4003, 4017])
    const ports = await Promise.all(Array.from({ length: 250 }, () => allocator.next()))
    expect(new Set(ports).size).toBe(250)
    expect(ports).not.toContain(4003)
  })
})
