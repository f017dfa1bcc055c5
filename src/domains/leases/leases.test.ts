import { describe, expect, it } from 'vitest'
import type { LeaseName } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { DryRun } from '../../lib/index.ts'
import { Leases } from './service.ts'

const shop = 'shop.json' as LeaseName
const copy = 'copy-of-shop.json' as LeaseName
const ann = { token: 'a'.repeat(22), holder: 'ann@ops1', containers: ['shop-web', 'shop-db'], seconds: 60 }
const ben = { token: 'b'.repeat(22), holder: 'ben@ops2', containers: ['blog-web'], seconds: 60 }

function setUp() {
  const host = fakeHost()
  return { host, leases: new Leases(host) }
}

describe('a lease', () => {
  it('is for one at a time, and tells the other who has it', async () => {
    const { leases } = setUp()
    expect(await leases.take(shop, ann)).toEqual({ name: shop, holder: 'ann@ops1', endsAt: '2026-01-01T00:01:00.000Z', renewed: false })
    await expect(leases.take(shop, ben)).rejects.toMatchObject({
      code: 'LEASE_HELD',
      message:
        'shop.json is being deployed by ann@ops1 since 00:00:00 UTC (0 s); its lease ends at 00:01:00 UTC (in 60 s) unless it is kept longer',
      retryAfterSeconds: 60,
    })
  })

  it('of another file holds containers of the same name too, and no others', async () => {
    const { leases } = setUp()
    await leases.take(shop, ann)
    await expect(leases.take(copy, { ...ben, containers: ['shop-db'] })).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await leases.take(copy, ben)
  })

  it('is free when it was given back, but only by its owner', async () => {
    const { leases } = setUp()
    await leases.take(shop, ann)
    await leases.release(shop, ben.token)
    await expect(leases.take(shop, ben)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await leases.release(shop, ann.token)
    await leases.take(shop, ben)
    await leases.release(copy, ben.token)
  })

  it('is free when its time is over, and lasts while it is taken again', async () => {
    const { host, leases } = setUp()
    await leases.take(shop, ann)
    await host.clock.advance(59_000)
    expect(await leases.take(shop, ann)).toMatchObject({ renewed: true })
    await host.clock.advance(59_000)
    await expect(leases.take(shop, ben)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await host.clock.advance(1_000)
    await leases.take(shop, ben)
  })

  it('is listed with who has it and since when, which taking it again does not change; the token is told to nobody', async () => {
    const { host, leases } = setUp()
    await leases.take(shop, ann)
    await host.clock.advance(30_000)
    await leases.take(shop, ann)
    const times = { since: '2026-01-01T00:00:00.000Z', endsAt: '2026-01-01T00:01:30.000Z' }
    expect(await leases.list()).toEqual([{ name: shop, holder: 'ann@ops1', ...times, containers: ann.containers }])
    await host.clock.advance(60_000)
    expect(await leases.list()).toEqual([])
  })

  it('that is only asked about is not taken, and one whose time is over stays until the next change', async () => {
    const { host, leases } = setUp()
    await leases.take(copy, { ...ben, seconds: 1 })
    await host.clock.advance(2000)
    const before = host.files.tree('/')
    const dryRun = new DryRun()
    await leases.take(shop, ann, dryRun)
    await leases.release(shop, ann.token, dryRun)
    expect(dryRun.steps).toEqual([
      { kind: 'removeLease', on: [copy], reason: 'its time is over' },
      { kind: 'writeLease', on: [shop], reason: 'nobody else has it' },
    ])
    expect(host.files.tree('/')).toEqual(before)
    await leases.take(shop, ann)
    expect(await host.files.list('/var/run/containers/leases')).toHaveLength(1)
  })

  it.each([86_400_000, -86_400_000])('lasts as long as it was to when the clock is set by %d ms', async ms => {
    const { host, leases } = setUp()
    await leases.take(shop, ann)
    host.clock.jump(ms)
    await host.clock.advance(59_000)
    await expect(leases.take(shop, ben)).rejects.toMatchObject({ code: 'LEASE_HELD', retryAfterSeconds: 1 })
    await host.clock.advance(1_000)
    await leases.take(shop, ben)
  })

  it('outlives the agent, and what is no lease holds nothing', async () => {
    const { host, leases } = setUp()
    await leases.take(shop, ann)
    await expect(new Leases(host).take(shop, ben)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    host.files.put('/var/run/containers/leases/shop.json', '{')
    await new Leases(host).take(shop, ben)
  })

  it('is taken by one of many who ask at once', async () => {
    const { leases } = setUp()
    const tokens = Array.from({ length: 10 }, (_, index) => String(index).repeat(22))
    const outcomes = await Promise.allSettled(tokens.map(token => leases.take(shop, { ...ann, token })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
