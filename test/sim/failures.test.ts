/**
 * What fails and dies half-way. Every call that an operation makes on the host is made to fail once, or to be the last one that the process
 * lives to make; then the identical request must bring the host to where it would have come without the failure. The same for a power cut
 * (unsynced names are gone) and for a full disk.
 */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GearError, type RequestId } from '../../src/api/index.ts'
import type { FakeHost } from '../../src/host/fakes.ts'
import type { Host } from '../../src/host/index.ts'
import { type Agent, agentOn, base, codeOf, disk, expectWhole, newHost, port, reservations, unitOf } from './machine.ts'

const requestId = 'dGhlLXNhbWUtcmVxdWVzdA' as RequestId
const full = {
  Image: 'acme/shop:2',
  Ports: [port(80), port(22, 30_022)],
  Environment: { Id: 'shop-env', Variables: [{ Name: 'A', Value: '2' }] },
  NetworkLinks: [{ FromPort: 1, ToPort: 2, ToHost: 'db' }],
  Started: true,
}
const old = {
  Image: 'acme/shop:1',
  Ports: [port(80), port(443)],
  Environment: { Id: 'shop-env', Variables: [{ Name: 'A', Value: '1' }] },
  NetworkLinks: [{ FromPort: 9, ToPort: 9, ToHost: 'old' }],
}

interface Situation {
  readonly name: string
  readonly arrange: (agent: Agent, host: FakeHost) => Promise<void>
  readonly act: (agent: Agent) => Promise<unknown>
  /** It is about all containers of the host. */
  readonly isOfAll?: boolean
}

async function makeData(_: Agent, host: FakeHost): Promise<void> {
  host.engine.addContainer('shop-data', { isRunning: false, labels: { 'gear.id': 'shop', 'gear.role': 'data' } })
  host.files.put('/var/run/containers/sh/shop/last-exit', 'ExitCode=0\n')
}

const installs: readonly Situation[] = [
  { name: 'installing a new container', arrange: async () => {}, act: agent => agent.install('shop', full, { requestId }) },
  {
    name: 'updating a stopped container',
    arrange: async agent => void (await agent.install('shop', old)),
    act: agent => agent.install('shop', full, { requestId }),
  },
  {
    name: 'updating a running container',
    arrange: async agent => void (await agent.install('shop', { ...old, Started: true })),
    act: agent => agent.install('shop', { ...full, Started: false }, { requestId }),
  },
]

const deletes: readonly Situation[] = [
  {
    name: 'deleting a running container',
    arrange: async agent => void (await agent.install('shop', full)),
    act: agent => agent.delete('shop'),
  },
  {
    name: 'deleting everything of a stopped container',
    arrange: async (agent, host) => {
      await agent.install('shop', full)
      await agent.stop('shop')
      await makeData(agent, host)
    },
    act: agent => agent.delete('shop', { all: '1' }),
  },
  {
    name: 'deleting a container that failed, and that systemd was told of at boot',
    arrange: async (agent, host) => {
      await agent.install('shop', full)
      await host.units.reload()
      host.units.exit(unitOf('shop'), { exitCode: 143 })
    },
    act: agent => agent.delete('shop', { all: '1' }),
  },
]

const others: readonly Situation[] = [
  { name: 'starting', arrange: async agent => void (await agent.install('shop', old)), act: agent => agent.start('shop') },
  { name: 'stopping', arrange: async agent => void (await agent.install('shop', full)), act: agent => agent.stop('shop') },
  { name: 'restarting', arrange: async agent => void (await agent.install('shop', full)), act: agent => agent.restart('shop') },
  { name: 'purging', arrange: async agent => void (await agent.install('shop', full)), act: agent => agent.purge(), isOfAll: true },
  {
    name: 'enabling after a purge',
    arrange: async agent => {
      await agent.install('shop', full)
      await agent.purge()
      await agent.start('shop-two')
    },
    act: agent => agent.start('shop'),
  },
  {
    name: 'replacing an environment',
    arrange: async agent => void (await agent.install('shop', old)),
    act: agent => agent.putEnvironment('shop-env', { Variables: [{ Name: 'A', Value: '3' }] }),
  },
]

/** A host on which a bystander lives, who shares the partition and the block of ports. */
async function arranged({ arrange }: Situation): Promise<FakeHost> {
  const host = await newHost()
  const agent = agentOn(host)
  await agent.install('shop-two', { Ports: [port(80, 4500)], NetworkLinks: [], Environment: { Id: 'shop-two' }, Started: true })
  await arrange(agent, host)
  await host.clock.advance(1000)
  return host
}

/** How the host is when nothing fails. */
async function outcomeOf(situation: Situation): Promise<Picture> {
  const host = await arranged(situation)
  await situation.act(agentOn(host))
  expectWhole(host)
  return picture(host)
}

/** Everything that a failure must not make different in the end. */
async function picture(host: FakeHost) {
  const { loadState, activeState, needsReload } = await host.units.status(unitOf('shop'))
  return { disk: disk(host), containers: host.engine.containerNames, shop: { loadState, activeState, needsReload } }
}

type Picture = Awaited<ReturnType<typeof picture>>

/** Compares quickly first: most of many thousand comparisons find nothing. */
async function expectPicture(host: FakeHost, expected: Picture, when: string): Promise<void> {
  const found = await picture(host)
  if (!isDeepStrictEqual(found, expected)) expect(found, when).toEqual(expected)
}

/** The bystander as it was: running, its files and reservation in place. */
async function expectBystander(host: FakeHost): Promise<void> {
  const { activeState, needsReload } = await host.units.status(unitOf('shop-two'))
  const found = {
    activeState,
    needsReload,
    isReserved: reservations(host).get(4500)?.startsWith(`${base}/units/sh/shop-two/`),
    links: host.files.tree(`${base}/ports/links/sh/shop-two`),
    environment: host.files.tree(`${base}/env/contents/sh/shop-two`),
  }
  expect(found).toEqual({
    activeState: 'active',
    needsReload: false,
    isReserved: true,
    links: { [`${base}/ports/links/sh/shop-two`]: '' },
    environment: { [`${base}/env/contents/sh/shop-two`]: '' },
  })
}

/**
 * The host as a process sees it whose luck ends at one call: `once`, that call fails and all others work; `death`, nothing works from
 * then on, not even taking back.
 */
function unlucky(host: FakeHost, at: number, kind: 'once' | 'death'): { readonly host: Host; readonly isOver: () => boolean } {
  let calls = 0
  const frail = <Port extends object>(target: Port): Port =>
    new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        return (...args: readonly unknown[]) => {
          const call = calls++
          if (call === at || (kind === 'death' && call > at)) {
            return Promise.reject(new GearError('STORAGE_FAILED', `call ${call}, ${String(name)}, fails`))
          }
          return (value as (...given: readonly unknown[]) => unknown).apply(target, [...args])
        }
      },
    })
  const { files, units, engines, network } = host
  const engine = frail(engines.chosen)
  return {
    host: {
      ...host,
      files: frail(files),
      units: frail(units),
      engines: { of: () => engine, choose: async () => engine },
      network: frail(network),
    },
    isOver: () => calls > at,
  }
}

/** Runs the act with the luck ending at the first call, at the second and so on, until it is long enough for all of it. */
async function atEveryCall(
  situation: Situation,
  kind: 'once' | 'death',
  check: (host: FakeHost, at: number) => Promise<void>,
): Promise<number> {
  for (let at = 0; ; at++) {
    const host = await arranged(situation)
    const { host: frail, isOver } = unlucky(host, at, kind)
    const code = await codeOf(situation.act(agentOn(frail)))
    if (!isOver()) return at
    if (code === undefined) expect(kind, `call ${at} failed and nobody was told`).toBe('once')
    if (situation.isOfAll !== true) await expectBystander(host)
    await check(host, at)
  }
}

describe.each([...installs, ...deletes, ...others])('$name', situation => {
  it('comes to the same end when a call failed and the request is made again', async () => {
    const expected = await outcomeOf(situation)
    const calls = await atEveryCall(situation, 'once', async (host, at) => {
      await situation.act(agentOn(host))
      await expectPicture(host, expected, `after call ${at} failed`)
      expectWhole(host)
    })
    expect(calls).toBeGreaterThan(2)
  })

  it('comes to the same end when the process died at a call and the request is made again', async () => {
    const expected = await outcomeOf(situation)
    await atEveryCall(situation, 'death', async (host, at) => {
      await situation.act(agentOn(host))
      await expectPicture(host, expected, `after a death at call ${at}`)
      expectWhole(host)
    })
  })

  it('comes to the same end when the power was cut at a call and the request is made again', async () => {
    const expected = await outcomeOf(situation)
    await atEveryCall(situation, 'death', async (host, at) => {
      await host.reboot()
      if (situation.isOfAll !== true) await host.units.queueStart(unitOf('shop-two'), 'replace')
      await situation.act(agentOn(host))
      await expectPicture(host, { ...(await picture(host)), disk: expected.disk }, `after a power cut at call ${at}`)
      expectWhole(host)
    })
  })
})

describe.each(installs)('$name', situation => {
  it('changes nothing but the environment it brought, when it fails before the unit is swapped', async () => {
    const environment = `${base}/env/contents/sh/shop-env`
    const links = `${base}/ports/links/sh/shop`
    const without = (tree: Readonly<Record<string, string>>, paths: readonly string[]) =>
      Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.includes(path)))
    const before = disk(await arranged(situation))
    const isUpdate = links in before
    const kept = isUpdate ? [environment, links] : [environment]
    const unit = `${base}/units/sh/ctr-shop.service`
    const swaps: boolean[] = []
    await atEveryCall(situation, 'once', async host => {
      const after = disk(host)
      swaps.push(after[unit] !== before[unit])
      if (after[unit] === before[unit]) expect(without(after, kept)).toEqual(without(before, kept))
    })
    expect(new Set(swaps)).toEqual(new Set([false, true]))
  })

  it('fails with DISK_FULL wherever the disk becomes full, and comes to the same end when there is room again', async () => {
    const expected = await outcomeOf(situation)
    for (let changes = 0; ; changes++) {
      const host = await arranged(situation)
      host.files.failAfter(changes, 'ENOSPC')
      const code = await codeOf(situation.act(agentOn(host)))
      if (code === undefined) break
      expect(code).toBe('DISK_FULL')
      await expectBystander(host)
      host.files.heal()
      await situation.act(agentOn(host))
      await expectPicture(host, expected, `after ${changes} changes`)
      expectWhole(host)
    }
  })

  it('loses and shares no port when it is tried again by the same agent', async () => {
    for (let at = 0; ; at++) {
      const host = await arranged(situation)
      const { host: frail, isOver } = unlucky(host, at, 'once')
      const agent = agentOn(frail)
      await codeOf(situation.act(agent))
      if (!isOver()) break
      await situation.act(agent)
      expectWhole(host)
      expect((await agent.ports('shop')).map(pair => pair.internal)).toEqual([80, 22])
    }
  })

  it('leaves nothing when it died and is deleted instead', async () => {
    const clean = await newHost()
    await agentOn(clean).install('shop-two', { Ports: [port(80, 4500)], NetworkLinks: [], Environment: { Id: 'shop-two' }, Started: true })
    const paths = (host: FakeHost) =>
      Object.keys(disk(host))
        .filter(path => !path.includes('/env/contents/') && !/\/shop-two\/[^/]{22}$/.test(path))
        .sort()
    await atEveryCall(situation, 'death', async (host, at) => {
      await agentOn(host).delete('shop')
      expect(paths(host), `after a death at call ${at}`).toEqual(paths(clean))
      expectWhole(host)
    })
  })
})

describe.each(deletes)('$name', situation => {
  it('leaves nothing of the old container to a new one, when it died and that is installed instead', async () => {
    await atEveryCall(situation, 'death', async host => {
      await host.clock.advance(1000)
      const agent = agentOn(host)
      await agent.install('shop', { Image: 'acme/new', Ports: [port(8080)], Started: true })
      await host.clock.advance(1000)
      expectWhole(host)
      expect(await agent.ports('shop')).toHaveLength(1)
      expect(await agent.status('shop')).toMatchObject({ image: 'acme/new', enabled: true })
      expect((await host.units.status(unitOf('shop'))).needsReload).toBe(false)
    })
  })
})

describe('a failure', () => {
  it('of the taking back does not hide the one that it was taken back for', async () => {
    const host = await newHost()
    host.files.fail('hardLinkOver', '*', new GearError('DISK_FULL', 'no room for the unit'))
    host.files.fail('remove', '*', new GearError('STORAGE_FAILED', 'cannot be taken back'), 10)
    await expect(agentOn(host).install('shop', full)).rejects.toMatchObject({ code: 'DISK_FULL', message: 'no room for the unit' })
    host.files.heal()
    await agentOn(host).install('shop', full)
    expectWhole(host)
  })

  it('of a repeated request leaves what the first attempt installed', async () => {
    const host = await newHost()
    await agentOn(host).install('shop', full, { requestId })
    host.files.fail('hardLinkOver', '*', new GearError('DISK_FULL', 'no room for the unit'))
    expect(await codeOf(agentOn(host).install('shop', { ...full, Image: 'acme/shop:3' }, { requestId }))).toBe('DISK_FULL')
    for (const [external, version] of reservations(host)) expect(disk(host)[version], `what port ${external} points at`).toBeDefined()
  })

  it('that left nothing but a reservation, as a power cut may, is no obstacle for the container that it is of', async () => {
    const host = await newHost()
    host.files.putLink(`${base}/units/sh/shop/bG9zdA`, `${base}/ports/interfaces/1/80/8080`)
    expect(await codeOf(agentOn(host).install('other', { Ports: [port(80, 8080)] }))).toBe('PORT_TAKEN')
    await agentOn(host).install('shop', { Ports: [port(80, 8080)] })
    expectWhole(host)
  })

  it('of systemd is told before anything is changed, where systemd is needed', async () => {
    const host = await newHost()
    const agent = agentOn(host)
    await agent.install('shop', old)
    const before = host.files.tree()
    host.units.isAway = true
    for (const work of [
      agent.install('shop', full),
      agent.delete('shop'),
      agent.start('shop'),
      agent.stop('shop'),
      agent.restart('shop'),
    ]) {
      expect(await codeOf(work)).toBe('SYSTEMD_UNAVAILABLE')
    }
    expect(host.files.tree()).toEqual(before)
  })
})
