import { describe, expect, it } from 'vitest'
import { type ContainerId, GearError } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { PortStore } from './store.ts'

const shop = 'shop' as ContainerId
const ports = '/var/lib/containers/ports/interfaces/1'
const version = '/var/lib/containers/units/sh/shop/request-1'
const otherVersion = '/var/lib/containers/units/ot/other/request-2'

function setUp() {
  const host = fakeHost()
  host.files.putFolder(ports)
  return { host, store: new PortStore(host) }
}

describe('reservations', () => {
  it('are links to the version file, and removed when released', async () => {
    const { host, store } = setUp()
    await store.reserve([40_000], version)
    expect(host.files.tree(ports)).toEqual({ [`${ports}/400/40000`]: `-> ${version}` })
    await store.release(shop, [40_000])
    expect(host.files.tree(ports)).toEqual({ [`${ports}/400`]: '/' })
  })

  it('belong to the container whose version they point at, and not to one whose name begins alike', async () => {
    const { store } = setUp()
    await store.reserve([4000], version)
    await store.reserve([4001], '/var/lib/containers/units/sh/shop-2/request-1')
    expect(await store.ownedOf(shop, [4000, 4001, 4002, 4000])).toEqual(new Set([4000]))
  })

  it('are told in the order in which they were asked for, whichever the disk knows first', async () => {
    const { host, store } = setUp()
    await store.reserve([4000, 4001], version)
    const readLink = host.files.readLink.bind(host.files)
    let first = true
    host.files.readLink = async path => {
      const isLate = first
      first = false
      const target = await readLink(path)
      if (isLate) await new Promise(resolve => setImmediate(resolve))
      return target
    }
    expect([...(await store.ownedOf(shop, [4000, 4001]))]).toEqual([4000, 4001])
  })

  it('are made all or none, and a conflict touches nothing of the other container', async () => {
    const { host, store } = setUp()
    await store.reserve([4001], otherVersion)
    const before = host.files.tree(`${ports}/40`)
    await expect(store.reserve([4000, 4001, 4002], version)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining('container other'),
    })
    expect(host.files.tree(`${ports}/40`)).toEqual(before)
  })

  it('are made all or none when the disk fails half-way', async () => {
    const { host, store } = setUp()
    host.files.fail('link', `${ports}/41/4100`, new GearError('DISK_FULL', 'full'))
    await expect(store.reserve([4000, 4100], version)).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await store.ownedOf(shop, [4000, 4100])).toEqual(new Set())
  })

  it('of others are not released', async () => {
    const { host, store } = setUp()
    await store.reserve([4000], otherVersion)
    await store.release(shop, [4000, 4001])
    expect(host.files.tree(ports)).toEqual({ [`${ports}/40/4000`]: `-> ${otherVersion}` })
  })

  it('follow the version they are pointed at', async () => {
    const { host, store } = setUp()
    await store.reserve([4000], version)
    await store.repoint([4000], `${version}-newer`)
    expect(host.files.tree(ports)).toEqual({ [`${ports}/40/4000`]: `-> ${version}-newer` })
  })

  it.each([
    { name: 'a container', target: otherVersion, holder: 'reserved by container other' },
    { name: 'a program that nobody knows', target: '/etc/passwd', holder: 'reserved by /etc/passwd' },
  ])('say who holds them: $name', async ({ target, holder }) => {
    const { host, store } = setUp()
    host.files.putLink(target, `${ports}/40/4000`)
    expect(await store.holderOf(4000)).toBe(holder)
  })

  it('are not needed for a port to be taken: a program may listen on it', async () => {
    const { host, store } = setUp()
    host.network.listening.add(8080)
    expect(await store.holderOf(8080)).toBe('used by another program on this host')
    expect(await store.holderOf(8081)).toBeUndefined()
  })
})
