/** What the agent does for one container after the other, as told over the API: install, update, start, stop, look, delete, purge. */
import { describe, expect, it } from 'vitest'
import { GearError, limits } from '../../src/api/index.ts'
import { agentOn, base, codeOf, disk, expectWhole, newHost, reservations, systemd, textOf, unitOf, unitPath } from './machine.ts'

const port = (internal: number, external = 0) => ({ Internal: internal, External: external })

async function setUp() {
  const host = await newHost()
  const agent = agentOn(host)
  /** Time passes, so that what comes later is later. */
  const later = () => host.clock.advance(1000)
  /** Has systemd take a second for every start of the container. */
  const startSlowly = async (id: string, work: () => Promise<unknown>) => {
    host.units.behave(unitOf(id), { start: 'pending' })
    const result = await work()
    await later()
    host.units.finishJob(unitOf(id))
    await later()
    return result
  }
  return { host, agent, later, startSlowly }
}

describe('installing', () => {
  it('makes a unit that systemd sees, with its ports, and says which they are', async () => {
    const { host, agent } = await setUp()
    const before = disk(host)
    const { text, ports } = await agent.install('shop', { Ports: [port(8080), port(22, 4022)] })
    expect(text).toBe('Container shop is installed\n')
    expect(ports).toEqual([
      { internal: 8080, external: 4000 },
      { internal: 22, external: 4022 },
    ])
    const [version = ''] = reservations(host).values()
    const unit = disk(host)[unitPath('shop')]
    const made = Object.fromEntries(Object.entries(disk(host)).filter(([path]) => !(path in before)))
    expect(made).toEqual({
      [unitPath('shop')]: unit,
      [version]: unit,
      [`${base}/ports/interfaces/1/40/4000`]: `-> ${version}`,
      [`${base}/ports/interfaces/1/40/4022`]: `-> ${version}`,
      [`${systemd}/ctr-shop.service`]: `-> ${unitPath('shop')}`,
      [`${systemd}/container.target.wants/ctr-shop.service`]: `-> ${unitPath('shop')}`,
    })
    expect(version).toMatch(/^\/var\/lib\/containers\/units\/sh\/shop\/[A-Za-z0-9_-]{22}$/)
    expect(host.files.modeOf(unitPath('shop'))).toBe(0o664)
    expect(host.files.modeOf(`${base}/units/sh/shop`)).toBe(0o775)
    expectWhole(host)
  })

  it('does not start it unless asked to', async () => {
    const { agent } = await setUp()
    await agent.install('shop')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'inactive', enabled: false })
  })

  it('starts it now and at every boot when asked to', async () => {
    const { host, agent, later } = await setUp()
    const { text } = await agent.install('shop', { Started: true })
    await later()
    expect(text).toBe('Container shop is installed and starting\n')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'active', enabled: true, loadState: 'loaded' })
    expect(host.engine.containerNames).toEqual(['shop'])
    expectWhole(host)
  })

  it('survives a power cut once it was answered for', async () => {
    const { host, agent } = await setUp()
    const environment = { Id: 'shop-env', Variables: [{ Name: 'A', Value: 'B' }] }
    await agent.install('shop', {
      Ports: [port(80), port(22, 30_022)],
      Environment: environment,
      NetworkLinks: [{ FromPort: 1, ToPort: 2, ToHost: 'db' }],
      Started: true,
    })
    const before = disk(host)
    host.files.crash()
    expect(disk(host)).toEqual(before)
    expect((await agentOn(host).ports('shop')).map(pair => pair.external)).toEqual([4000, 30_022])
  })

  it('is refused when the host cannot do what is wished, and changes nothing', async () => {
    const { host, agent } = await setUp()
    const before = host.files.tree()
    expect(await codeOf(agent.install('shop', { SeccompProfile: '/etc/calls.json' }))).toBe('INPUT_INVALID')
    expect(await codeOf(agent.install('shop', { UserNamespace: 'auto' }))).toBe('USER_NAMESPACE_UNSUPPORTED')
    expect(host.files.tree()).toEqual(before)
    host.files.put('/etc/calls.json', '{}')
    await agent.install('shop', { SeccompProfile: '/etc/calls.json' })
    await agent.install('other', { SeccompProfile: 'unconfined' })
  })

  it('tells the level of SELinux where it is enabled', async () => {
    const { host, agent } = await setUp()
    host.files.put('/sys/fs/selinux/enforce', '1')
    await agent.install('shop', { Started: true })
    expect((await agent.status('shop')).seLinux).toBeUndefined()
    host.files.put('/var/run/containers/sh/shop/pid', '77\n')
    const level = /level:(s0:\S+)/.exec((await host.files.read('/var/lib/containers/units/sh/ctr-shop.service')) ?? '')?.[1]
    host.files.put('/proc/77/attr/current', `system_u:system_r:container_t:${level}\0`)
    expect((await agent.status('shop')).seLinux).toBe(level)
    expect(level).toMatch(/^s0:c\d+(,c\d+){7}$/)
  })

  it('tells when the engine sets no labels though SELinux is enabled, or another level', async () => {
    const { host, agent } = await setUp()
    host.files.put('/sys/fs/selinux/enforce', '1')
    await agent.install('shop', { Started: true })
    host.files.put('/var/run/containers/sh/shop/pid', '77\n')
    host.files.put('/proc/77/attr/current', 'system_u:system_r:container_runtime_t:s0\0')
    expect((await agent.status('shop')).seLinux).toBe('not its own: the engine runs it as system_u:system_r:container_runtime_t:s0')
  })

  it('is refused for what is not supported, and changes nothing', async () => {
    const { host, agent } = await setUp()
    const before = host.files.tree()
    expect(await codeOf(agent.install('shop', { SocketActivation: true, Ports: [port(80)] }))).toBe('SOCKET_ACTIVATION_UNSUPPORTED')
    expect(host.files.tree()).toEqual(before)
  })

  it('drops socket activation when there is no port to listen on', async () => {
    const { agent } = await setUp()
    expect((await agent.install('shop', { SocketActivation: true })).text).toBe('Container shop is installed\n')
  })

  it('works while the engine is away', async () => {
    const { host, agent } = await setUp()
    host.engine.isAway = true
    await agent.install('shop', { Ports: [port(80)], Started: true })
    expectWhole(host)
  })

  it('stores the links it was given, an empty list too', async () => {
    const { host, agent } = await setUp()
    const links = `${base}/ports/links/sh/shop`
    await agent.install('shop', { NetworkLinks: [{ FromHost: '127.0.0.1', FromPort: 8081, ToPort: 80, ToHost: '10.0.0.7' }] })
    expect(disk(host)[links]).toBe('127.0.0.1\t8081\t80\t10.0.0.7\n')
    expect(host.files.modeOf(links)).toBe(0o660)
    await agent.install('shop')
    expect(disk(host)[links]).toBe('127.0.0.1\t8081\t80\t10.0.0.7\n')
    await agent.install('shop', { NetworkLinks: [] })
    expect(disk(host)[links]).toBe('')
  })

  it('has links of a running container applied at once, and does not ask for a restart because of them', async () => {
    const { host, agent, startSlowly } = await setUp()
    await startSlowly('shop', () => agent.install('shop', { Started: true }))
    host.units.forgetCalls()
    const link = { FromHost: '127.0.0.1', FromPort: 8081, ToPort: 80, ToHost: '10.0.0.7' }
    expect((await agent.install('shop', { NetworkLinks: [link] })).text).toBe('Container shop is installed\n')
    expect(host.units.calls).toContain('queueRestart gear-links@shop.service')
  })
})

describe('installing what is installed', () => {
  it('updates it in place: the same ports, a new version, the one before kept', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Image: 'acme/shop:1', Ports: [port(80), port(22)] })
    await agent.install('other', { Ports: [port(80)] })
    const { ports } = await agent.install('shop', { Image: 'acme/shop:2', Ports: [port(22), port(80)] })
    expect(ports).toEqual([
      { internal: 22, external: 4001 },
      { internal: 80, external: 4000 },
    ])
    expect((await agent.status('shop')).image).toBe('acme/shop:2')
    await agent.install('shop', { Image: 'acme/shop:3', Ports: [port(22), port(80)] })
    const versions = Object.entries(disk(host)).filter(([path]) => path.startsWith(`${base}/units/sh/shop/`))
    expect(versions.map(([, text]) => /acme\/shop:\d/.exec(text)?.[0]).sort()).toEqual(['acme/shop:2', 'acme/shop:3'])
    expectWhole(host)
  })

  it('changes nothing when it is the same, but says so all the same', async () => {
    const { host, agent, startSlowly } = await setUp()
    const body = { Ports: [port(80)], Environment: { Id: 'shop-env' }, Started: true }
    const first = await startSlowly('shop', () => agent.install('shop', body))
    const before = host.files.tree()
    const reloads = host.units.reloadCount
    expect(await agent.install('shop', body)).toEqual(first)
    expect(host.files.tree()).toEqual(before)
    expect(host.units.reloadCount).toBe(reloads)
  })

  it('leaves a running container as it was until it is restarted, and says that a restart is needed', async () => {
    const { host, agent, later, startSlowly } = await setUp()
    await startSlowly('shop', () => agent.install('shop', { Image: 'acme/shop:1', Started: true }))
    expect((await agent.status('shop')).restartNeeded).toBe(false)
    const pid = (await host.units.status(unitOf('shop'))).mainPid
    const { text } = await agent.install('shop', { Image: 'acme/shop:2', Started: true })
    await later()
    expect(text).toBe('Container shop is installed and starting; it still runs as it was before, restart it with: gear restart shop\n')
    expect((await host.units.status(unitOf('shop'))).mainPid).toBe(pid)
    expect((await agent.status('shop')).restartNeeded).toBe(true)
    expect((await agent.install('shop', { Image: 'acme/shop:2' })).text).toContain('restart it with')
    await startSlowly('shop', () => agent.restart('shop'))
    expect((await host.units.status(unitOf('shop'))).mainPid).not.toBe(pid)
    expect((await agent.status('shop')).restartNeeded).toBe(false)
    expect((await agent.install('shop', { Image: 'acme/shop:2' })).text).toBe('Container shop is installed\n')
  })

  it('says what the container had and has no longer, since it was not given again', async () => {
    const { agent } = await setUp()
    await agent.install('shop', { Isolate: true, Memory: '2g', Ports: [port(80), port(22)] })
    const { text } = await agent.install('shop', { Ports: [port(22)] })
    expect(text).toBe('Container shop is installed\nIt no longer has what was not given again: --isolate --memory 2g -p 80:4000\n')
    expect((await agent.install('shop', { Ports: [port(22)] })).text).toBe('Container shop is installed\n')
  })

  it('gives ports back that are no longer asked for, and others may have them', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Ports: [port(80, 5000), port(22, 5022)] })
    await agent.install('shop', { Ports: [port(80, 5001)] })
    expect([...reservations(host).keys()]).toEqual([5001])
    await agent.install('other', { Ports: [port(80, 5000)] })
    expectWhole(host)
  })

  it('keeps a port where it is now, though a version before had it elsewhere', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Ports: [port(80, 4100)] })
    await agent.install('shop', { Ports: [port(90, 4100)] })
    expect((await agent.install('shop', { Ports: [port(80), port(90)] })).ports).toEqual([
      { internal: 80, external: 4000 },
      { internal: 90, external: 4100 },
    ])
    expectWhole(host)
  })

  it('keeps a container that starts at boot so, when the update does not say', async () => {
    const { agent } = await setUp()
    await agent.install('shop', { Started: true })
    await agent.install('shop', { Image: 'acme/shop:2' })
    expect((await agent.status('shop')).enabled).toBe(true)
  })

  it('makes a link anew that somebody took away, and a reservation too', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Ports: [port(80)] })
    await host.files.remove(`${systemd}/ctr-shop.service`)
    await host.files.remove(`${base}/ports/interfaces/1/40/4000`)
    await agent.install('shop', { Ports: [port(80, 4000)] })
    expectWhole(host)
    expect(await host.files.readLink(`${systemd}/ctr-shop.service`)).toBe(unitPath('shop'))
  })

  it('takes over what the original left after a conflict: an empty unit file', async () => {
    const { host, agent } = await setUp()
    host.files.put(unitPath('shop'), '')
    await agent.install('shop', { Ports: [port(80)] })
    expectWhole(host)
  })
})

describe('a port that somebody has', () => {
  it.each([
    { name: 'new container', arrange: undefined },
    {
      name: 'update',
      arrange: { Image: 'acme/shop:1', Ports: [port(80, 4100)], Environment: { Id: 'shop-env', Variables: [{ Name: 'A' }] } },
    },
  ])('refuses the install and changes nothing on disk: $name', async ({ arrange }) => {
    const { host, agent } = await setUp()
    await agent.install('other', { Ports: [port(80, 39_485)] })
    if (arrange !== undefined) await agent.install('shop', arrange)
    const before = host.files.tree()
    const body = {
      Image: 'acme/shop:2',
      Ports: [port(22), port(80, 39_485), port(81, 5000)],
      Environment: { Id: 'shop-env', Variables: [{ Name: 'B' }] },
      NetworkLinks: [],
      Started: true,
    }
    await expect(agent.install('shop', body)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(/39485.*container other/),
    })
    expect(host.files.tree()).toEqual(before)
    expect((await agent.list({ all: '1' })).map(({ id }) => id)).toEqual(arrange === undefined ? ['other'] : ['other', 'shop'])
  })

  it('may be held by a program that gear knows nothing of', async () => {
    const { host, agent } = await setUp()
    host.network.listening.add(8080)
    await expect(agent.install('shop', { Ports: [port(80, 8080)] })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining('another program'),
    })
  })

  it('is no obstacle for its own container, which listens on it', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Ports: [port(80, 8080)], Started: true })
    host.network.listening.add(8080)
    expect((await agent.install('shop', { Image: 'acme/shop:2', Ports: [port(80, 8080)] })).ports).toEqual([
      { internal: 80, external: 8080 },
    ])
    expect((await agent.install('shop', { Image: 'acme/shop:3', Ports: [port(80)] })).ports).toEqual([{ internal: 80, external: 8080 }])
  })

  it('is never handed out, be it reserved before or after its neighbours were looked at', async () => {
    const { host, agent } = await setUp()
    await agent.install('first', { Ports: [port(80)] })
    await agent.install('named', { Ports: [port(80, 4001)] })
    expect((await agent.install('second', { Ports: [port(80)] })).ports).toEqual([{ internal: 80, external: 4002 }])
    expectWhole(host)
  })
})

describe('a name that is taken', () => {
  it('by a container of the engine that gear did not make', async () => {
    const { host, agent } = await setUp()
    host.engine.addContainer('shop')
    const before = host.files.tree()
    await expect(agent.install('shop')).rejects.toMatchObject({ code: 'NAME_TAKEN', message: expect.stringContaining('gear did not make') })
    expect(host.files.tree()).toEqual(before)
  })

  it('by the data of another container', async () => {
    const { agent } = await setUp()
    await agent.install('shop')
    await expect(agent.install('shop-data')).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      message: expect.stringContaining('container shop'),
    })
  })

  it('by a container whose name its data would need', async () => {
    const { agent } = await setUp()
    await agent.install('shop-data')
    await expect(agent.install('shop')).rejects.toMatchObject({ code: 'NAME_TAKEN', message: expect.stringContaining('shop-data') })
  })

  it('by the data that a deleted container left', async () => {
    const { host, agent } = await setUp()
    host.engine.addContainer('shop-data', { isRunning: false, labels: { 'gear.id': 'shop', 'gear.role': 'data' } })
    expect(await codeOf(agent.install('shop-data'))).toBe('NAME_TAKEN')
    expect(await codeOf(agent.install('shop'))).toBeUndefined()
  })

  it('is taken by one of two that come at once', async () => {
    const { agent } = await setUp()
    const outcomes = await Promise.all([codeOf(agent.install('shop')), codeOf(agent.install('shop-data'))])
    expect(outcomes.sort()).toEqual(['NAME_TAKEN', undefined])
  })

  it('is not, when the engine has left-overs of its own', async () => {
    const { host, agent } = await setUp()
    host.engine.addContainer('shop', { labels: { 'gear.id': 'shop' } })
    expect(await codeOf(agent.install('shop'))).toBeUndefined()
  })

  it('is not, once it is installed', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    host.engine.addContainer('shop')
    expect(await codeOf(agent.install('shop', { Image: 'acme/shop:2' }))).toBeUndefined()
  })
})

describe('the engine of a container', () => {
  it('is the one that was asked for, and else that of the host', async () => {
    const { host, agent } = await setUp()
    await agent.install('asked', { Engine: 'podman', Started: true })
    await agent.install('left', { Started: true })
    await host.clock.advance(1000)
    expect(host.engines.podman.containerNames).toEqual(['asked'])
    expect(host.engines.docker.containerNames).toEqual(['left'])
    expect(await agent.status('asked')).toMatchObject({ engine: 'podman' })
    expect(await agent.status('left')).toMatchObject({ engine: 'docker' })
  })

  it('does not change when it is installed again, and is not changed by an install', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Engine: 'podman' })
    await agent.install('shop', { Image: 'acme/shop:2' })
    expect(host.files.tree(`${base}/units/sh/ctr-shop.service`)).toEqual({
      [`${base}/units/sh/ctr-shop.service`]: expect.stringContaining('X-GearEngine=podman'),
    })
    const before = host.files.tree()
    await expect(agent.install('shop', { Engine: 'docker' })).rejects.toMatchObject({
      code: 'ENGINE_DIFFERS',
      message: expect.stringContaining('is on podman'),
    })
    expect(host.files.tree()).toEqual(before)
  })

  it('is the one that a delete cleans up, even if the other has something of that name', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Engine: 'podman' })
    const labels = { 'gear.id': 'shop', 'gear.role': 'data' }
    for (const engine of [host.engines.docker, host.engines.podman]) engine.addContainer('shop-data', { isRunning: false, labels })
    await agent.delete('shop', { all: '1' })
    expect(host.engines.podman.containerNames).toEqual([])
    expect(host.engines.docker.containerNames).toEqual(['shop-data'])
  })
})

describe('environments of containers', () => {
  it('are stored with the install, and replaced by the next one that brings variables', async () => {
    const { agent } = await setUp()
    await agent.install('shop', { Environment: { Id: 'shop-env', Variables: [{ Name: 'A', Value: '1' }] } })
    expect(await agent.environment('shop-env')).toBe('A=1\n')
    await agent.install('shop', { Environment: { Id: 'shop-env', Variables: [{ Name: 'B', Value: '2' }] } })
    expect(await agent.environment('shop-env')).toBe('B=2\n')
  })

  it('are used as they are by an install that only names them, and made empty when there are none', async () => {
    const { agent } = await setUp()
    await agent.putEnvironment('shop-env', { Variables: [{ Name: 'A', Value: '1' }] })
    await agent.install('shop', { Environment: { Id: 'shop-env' } })
    expect(await agent.environment('shop-env')).toBe('A=1\n')
    await agent.install('other', { Environment: { Id: 'other-env' } })
    expect(await agent.environment('other-env')).toBe('')
  })

  it('need an id to be stored under', async () => {
    const { host, agent } = await setUp()
    const before = host.files.tree()
    for (const environment of [{ Variables: [{ Name: 'A' }] }, { Source: 'http://config.example/a' }]) {
      await expect(agent.install('shop', { Environment: environment })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        fields: [expect.objectContaining({ field: 'Environment.Id' })],
      })
    }
    expect(host.files.tree()).toEqual(before)
    expect(await codeOf(agent.install('shop', { Environment: {} }))).toBeUndefined()
  })

  it('that cannot be fetched fail the install before it changes anything', async () => {
    const { host, agent } = await setUp()
    const before = host.files.tree()
    const environment = { Id: 'shop-env', Source: 'http://config.example/missing' }
    expect(await codeOf(agent.install('shop', { Environment: environment, Ports: [port(80)] }))).toBe('ENVIRONMENT_FETCH_FAILED')
    expect(host.files.tree()).toEqual(before)
  })
})

describe('start, stop and restart', () => {
  it('start makes it run now and at boot; again says that it does', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    expect(await agent.start('shop')).toBe('Container shop is starting\n')
    expect(await agent.start('shop')).toBe('Container shop is running or starting already\n')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'active', enabled: true })
    host.files.crash()
    expect((await agent.status('shop')).enabled).toBe(true)
  })

  it('stop makes it end and keeps it from the boot; again says that it is', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    expect(await agent.stop('shop')).toBe('Container shop is stopping\n')
    expect(await agent.stop('shop')).toBe('Container shop is stopped\n')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'inactive', enabled: false })
    expect(host.engine.containerNames).toEqual([])
    host.files.crash()
    expect((await agent.status('shop')).enabled).toBe(false)
  })

  it('start takes a running container into the boot that was not, and stop takes a stopped one out', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    await host.units.queueStart(unitOf('shop'), 'replace')
    expect(await agent.start('shop')).toContain('already')
    expect((await agent.status('shop')).enabled).toBe(true)
    host.units.exit(unitOf('shop'), { exitCode: 0 })
    expect(await agent.stop('shop')).toBe('Container shop is stopped\n')
    expect((await agent.status('shop')).enabled).toBe(false)
  })

  it('stop ends the waiting for the next attempt of one that keeps failing', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.set(unitOf('shop'), { activeState: 'activating', subState: 'auto-restart', mainPid: 0 })
    expect(await agent.stop('shop')).toBe('Container shop is stopping\n')
    expect((await agent.status('shop')).activeState).toBe('inactive')
  })

  it('start and restart do not wait for the next attempt of one that keeps failing', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.set(unitOf('shop'), { activeState: 'activating', subState: 'auto-restart', mainPid: 0 })
    host.units.forgetCalls()
    expect(await agent.start('shop')).toBe('Container shop is starting\n')
    await agent.restart('shop')
    expect(host.units.calls).toEqual(expect.arrayContaining(['queueStart ctr-shop.service', 'queueRestart ctr-shop.service']))
  })

  it('start and restart forget the failures before, so that the start limit does not refuse them', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    host.units.forgetCalls()
    await agent.start('shop')
    await agent.restart('shop')
    const asked = host.units.calls.filter(call => !call.startsWith('status'))
    expect(asked).toEqual([
      'resetFailed ctr-shop.service',
      'queueStart ctr-shop.service',
      'resetFailed ctr-shop.service',
      'queueRestart ctr-shop.service',
    ])
  })

  it('restart starts one that is stopped, and refuses one that is being started', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    expect(await agent.restart('shop')).toBe('Container shop is restarting\n')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'active', enabled: true })
    await agent.stop('shop')
    host.units.behave(unitOf('shop'), { start: 'pending' })
    await agent.start('shop')
    await expect(agent.restart('shop')).rejects.toMatchObject({ code: 'CONTAINER_CHANGING', retryAfterSeconds: 1 })
  })

  it('start enables a purged container again, for good', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    await agent.purge()
    expect(await agent.statusText('shop')).toContain(`Loaded: loaded (${unitPath('shop')}; disabled)\n     Active: inactive (dead)`)
    expect(await agent.start('shop')).toBe('Container shop is starting\n')
    expect(await agent.status('shop')).toMatchObject({ activeState: 'active', enabled: true })
    const before = disk(host)
    host.files.crash()
    expect(disk(host)).toEqual(before)
    expectWhole(host)
  })

  it('start has systemd read a unit again that was changed by hand', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    await host.units.reload()
    await agent.stop('shop')
    host.files.put(unitPath('shop'), `${disk(host)[unitPath('shop')]}# by hand\n`)
    const reloads = host.units.reloadCount
    await agent.start('shop')
    expect(host.units.reloadCount).toBe(reloads + 1)
    expect((await host.units.status(unitOf('shop'))).needsReload).toBe(false)
  })

  it('stop with Wait streams the log on the way and says how it ended', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.behave(unitOf('shop'), { stop: 'pending' })
    const text = agent.call('stopContainer', { params: { id: 'shop' }, body: { Wait: true } }).then(textOf)
    await host.clock.advance(100)
    host.journal.add(unitOf('shop'), 'closing the shop')
    await host.clock.advance(100)
    host.units.finishJob(unitOf('shop'))
    await host.clock.advance(1000)
    expect(await text).toMatch(/closing the shop\nContainer shop is stopped\n$/)
    expect(host.journal.following).toBe(0)
  })

  it('stop with Wait waits a quarter of a minute and no longer', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.behave(unitOf('shop'), { stop: 'pending' })
    const text = agent.call('stopContainer', { params: { id: 'shop' }, body: { Wait: true } }).then(textOf)
    await host.clock.advance(limits.stopWaitMs + 10)
    expect(await text).toBe('Container shop is still deactivating; it goes on stopping\n')
    expect(host.clock.sleeping).toBe(0)
    expect(host.journal.following).toBe(0)
  })
})

describe('deleting', () => {
  const everything = {
    Ports: [port(80), port(22, 30_022)],
    Environment: { Id: 'shop-env', Variables: [{ Name: 'A', Value: '1' }] },
    NetworkLinks: [{ FromPort: 1, ToPort: 2, ToHost: 'db' }],
    Started: true,
  }

  it('leaves nothing behind but the environment and the data', async () => {
    const { host, agent } = await setUp()
    await agent.install('other', { Ports: [port(80)] })
    const before = disk(host)
    await agent.install('shop', everything)
    host.files.put('/var/run/containers/sh/shop/last-exit', 'ExitCode=0\n')
    host.files.put(`${base}/home/sh/shop/home/file`, 'x')
    host.files.put(`${base}/units/sh/ctr-shop.socket`, '')
    host.files.put(`${base}/units/sh/ctr-shop.idle`, '')
    host.engine.addContainer('shop-data', { isRunning: false, labels: { 'gear.id': 'shop', 'gear.role': 'data' } })
    await agent.delete('shop')
    expect(disk(host)).toEqual({ ...before, [`${base}/env/contents/sh/shop-env`]: 'A=1\n' })
    expect(host.engine.containerNames).toEqual(['shop-data'])
    expect(await host.units.status(unitOf('shop'))).toMatchObject({ loadState: 'not-found', activeState: 'inactive' })
    expect(host.files.modeOf(`${base}/units/sh`)).toBeUndefined()
    host.files.crash()
    expect(disk(host)).toEqual({ ...before, [`${base}/env/contents/sh/shop-env`]: 'A=1\n' })
  })

  it('leaves nothing at all behind with all', async () => {
    const { host, agent } = await setUp()
    const before = disk(host)
    await agent.install('shop', everything)
    host.engine.addContainer('shop-data', { isRunning: false, labels: { 'gear.id': 'shop', 'gear.role': 'data' } })
    await agent.delete('shop', { all: '1' })
    expect(disk(host)).toEqual(before)
    expect(host.engine.containerNames).toEqual([])
    host.files.crash()
    expect(disk(host)).toEqual(before)
  })

  it('takes along with all the data that only the stop has kept', async () => {
    const { host, agent } = await setUp()
    const volumes = ['a'.repeat(64)]
    for (const id of ['shop', 'other']) {
      await agent.install(id, { Started: true })
      host.engine.addContainer(id, { labels: { 'gear.id': id }, volumes })
    }
    await agent.delete('shop', { all: '1' })
    expect(host.engine.containerNames).toEqual(['other'])
    await agent.delete('other')
    expect(host.engine.containerNames).toEqual(['other-data'])
  })

  it('takes along with all the data of a container that was deleted without, from whichever engine has it', async () => {
    const { host, agent } = await setUp()
    const labels = { 'gear.id': 'shop', 'gear.role': 'data' }
    for (const engine of [host.engines.docker, host.engines.podman]) {
      engine.addContainer('shop-data', { isRunning: false, labels })
      engine.addContainer('other-data', { isRunning: false, labels: { 'gear.id': 'another' } })
    }
    await agent.delete('shop')
    expect(host.engines.docker.containerNames).toEqual(['other-data', 'shop-data'])
    for (const _ of [1, 2, 3]) await agent.delete('shop', { all: '1' })
    await agent.delete('other', { all: '1' })
    for (const engine of [host.engines.docker, host.engines.podman]) expect(engine.containerNames).toEqual(['other-data'])
    host.engines.podman.isAway = true
    await agent.delete('shop', { all: '1' })
    host.engines.docker.isAway = true
    expect(await codeOf(agent.delete('shop', { all: '1' }))).toBe('ENGINE_UNAVAILABLE')
    await agent.delete('shop')
  })

  it('keeps an environment that others use, with all too, until the last of them goes', async () => {
    const { agent } = await setUp()
    const environment = { Id: 'both-env', Variables: [{ Name: 'A', Value: '1' }] }
    await agent.install('shop', { Environment: environment })
    await agent.install('other', { Environment: { Id: 'both-env' } })
    await agent.delete('shop', { all: '1' })
    expect(await agent.environment('both-env')).toBe('A=1\n')
    await agent.delete('other', { all: '1' })
    expect(await codeOf(agent.environment('both-env'))).toBe('ENVIRONMENT_UNKNOWN')
  })

  it('touches nothing of containers that share the first characters, or a name', async () => {
    const { host, agent } = await setUp()
    for (const id of ['shop-two', 'shop.one']) await agent.install(id, { Ports: [port(80)], NetworkLinks: [], Started: true })
    host.files.put('/var/run/containers/sh/shop-two/container-id', 'x')
    host.files.put(`${base}/home/sh/shop-two/home/file`, 'x')
    const before = disk(host)
    await agent.install('shop', everything)
    await agent.delete('shop', { all: '1' })
    expect(disk(host)).toEqual(before)
    expect((await agent.list()).map(({ id, activeState }) => `${id} ${activeState}`)).toEqual(['shop-two active', 'shop.one active'])
    expectWhole(host)
  })

  it('never removes a container of the engine that is not its own', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    host.engine.addContainer('shop', { labels: {} })
    host.engine.addContainer('shop-data', { labels: { 'gear.id': 'another' } })
    await agent.delete('shop', { all: '1' })
    expect(host.engine.containerNames).toEqual(['shop', 'shop-data'])
  })

  it('takes its account along, unless that is somebody else of that name', async () => {
    const { host, agent } = await setUp()
    for (const id of ['shop', 'shop-two', 'other']) await agent.install(id)
    host.accounts.add('ctr-shop')
    host.accounts.add('ctr-shop-two')
    host.accounts.add('ctr-other', { comment: 'Otto Ther' })
    await agent.delete('shop')
    await agent.delete('other')
    expect(host.accounts.logins).toEqual(['ctr-shop-two', 'ctr-other'])
  })

  it('ends the logins of its account, and fails while one does not end', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop')
    host.accounts.add('ctr-shop')
    host.accounts.busy.add('ctr-shop')
    host.accounts.fail('endLogins', 'ctr-shop', new GearError('ACCOUNT_FAILED', 'Could not end the logins of ctr-shop'))
    expect(await codeOf(agent.delete('shop'))).toBe('ACCOUNT_FAILED')
    expect((await agent.list({ all: '1' })).map(({ id }) => id)).toEqual(['shop'])
    await agent.delete('shop')
    expect(host.accounts.logins).toEqual([])
    expect(await agent.list({ all: '1' })).toEqual([])
  })

  it('is done already for an unknown id, without asking the engine or bothering systemd', async () => {
    const { host, agent } = await setUp()
    host.engine.isAway = true
    host.engine.forgetCalls()
    const before = host.files.tree()
    const reloads = host.units.reloadCount
    await agent.delete('unknown')
    expect(host.files.tree()).toEqual(before)
    expect(host.units.reloadCount).toBe(reloads)
    expect(host.engine.calls).toEqual([])
  })

  it('waits for the stop, and fails when it does not come', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.behave(unitOf('shop'), { stop: 'pending' })
    const outcome = codeOf(agent.delete('shop'))
    await host.clock.advance(limits.unitJobMs)
    expect(await outcome).toBe('SYSTEMD_FAILED')
    expect((await agent.list({ all: '1' })).map(({ id }) => id)).toEqual(['shop'])
    host.units.finishJob(unitOf('shop'))
    await agent.delete('shop')
    expect(await agent.list({ all: '1' })).toEqual([])
    expect(host.clock.sleeping).toBe(0)
  })

  it('fails while the engine is away, having changed nothing, and works when it is back', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true, Ports: [port(80)] })
    host.engine.isAway = true
    const before = disk(host)
    expect(await codeOf(agent.delete('shop'))).toBe('ENGINE_UNAVAILABLE')
    expect(disk(host)).toEqual(before)
    host.engine.isAway = false
    await agent.delete('shop')
    expect(reservations(host).size).toBe(0)
  })

  it('of a container that failed lets the next one of that id start afresh', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.exit(unitOf('shop'), { exitCode: 143 })
    await agent.delete('shop')
    expect(await host.units.status(unitOf('shop'))).toMatchObject({ activeState: 'inactive', loadState: 'not-found' })
    await agent.install('shop', { Started: true })
    expect((await agent.status('shop')).activeState).toBe('active')
  })

  it('makes room for a new container of that id, which runs its own image even if systemd still holds the old unit', async () => {
    const { host, agent, later } = await setUp()
    await agent.install('shop', { Image: 'acme/old', Started: true })
    await host.units.reload()
    await later()
    host.units.fail('reload', '*', new Error('the agent was killed'))
    expect(await codeOf(agent.delete('shop'))).toContain('killed')
    expect(await host.units.status(unitOf('shop'))).toMatchObject({ loadState: 'loaded' })
    await later()
    await agentOn(host).install('shop', { Image: 'acme/new', Started: true })
    await later()
    expect(await host.units.status(unitOf('shop'))).toMatchObject({ activeState: 'active', needsReload: false })
    expect(disk(host)[unitPath('shop')]).toContain('acme/new')
  })
})

describe('looking', () => {
  it('lists what systemd has loaded, and with all what is installed besides, sorted', async () => {
    const { agent } = await setUp()
    await agent.install('zeta', { Started: true })
    await agent.install('alpha')
    await agent.install('mid.dle', { Started: true })
    expect((await agent.list()).map(({ id }) => id)).toEqual(expect.arrayContaining(['mid.dle', 'zeta']))
    expect(await agent.list({ all: '1' })).toEqual([
      { id: 'alpha', activeState: 'inactive', subState: 'dead', loadState: 'loaded', jobType: undefined },
      { id: 'mid.dle', activeState: 'active', subState: 'running', loadState: 'loaded', jobType: undefined },
      { id: 'zeta', activeState: 'active', subState: 'running', loadState: 'loaded', jobType: undefined },
    ])
  })

  it('lists no unit that systemd still holds of a deleted container, and none of others', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    await host.files.remove(unitPath('shop'))
    host.files.put(`${systemd}/ctr-ab.service`, '[Unit]\n')
    host.files.put(`${systemd}/docker.service`, '[Unit]\n')
    await host.units.queueStart('docker.service' as never, 'replace')
    expect(await agent.list({ all: '1' })).toEqual([])
  })

  it('lists no file that lies in the wrong partition or has no proper name', async () => {
    const { host, agent } = await setUp()
    host.files.put(`${base}/units/s/ctr-shop.service`, '')
    host.files.put(`${base}/units/ab/ctr-shop.service`, '')
    host.files.put(`${base}/units/ctr-shop.service`, '')
    host.files.put(`${base}/units/ab/ctr-..ab.service`, '')
    host.files.putFolder(`${base}/units/fo/ctr-folder.service`)
    expect(await agent.list({ all: '1' })).toEqual([])
  })

  it('tells the status as text, in the words clients of the original look for', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.journal.add(unitOf('shop'), 'open for business')
    const text = await agent.statusText('shop')
    expect(text).toContain(`Loaded: loaded (${unitPath('shop')}; enabled)`)
    expect(text).toContain('Active: active (running)')
    expect(text).toContain('open for business')
  })

  it('tells the status as data, with what the engine and the kernel say of the running container', async () => {
    const { host, agent, startSlowly } = await setUp()
    await startSlowly('shop', () => agent.install('shop', { Ports: [port(80)], Started: true }))
    const image = host.engine.addImage(['acme/shop:latest'], { digests: [`acme/shop@sha256:${'d'.repeat(64)}`] })
    const { id: containerId } = host.engine.addContainer('shop', { labels: { 'gear.id': 'shop' }, imageId: image.id })
    host.files.put('/var/run/containers/sh/shop/container-id', `${containerId}\n`)
    host.files.put(`/sys/fs/cgroup/container.slice/container-small.slice/${containerId}/memory.current`, '4096\n')
    host.files.put(`/sys/fs/cgroup/container.slice/container-small.slice/${containerId}/cpu.stat`, 'usage_usec 5000\n')
    host.journal.add(unitOf('shop'), 'one')
    host.journal.add(unitOf('shop'), 'two')
    expect(await agent.status('shop', { lines: '1' })).toEqual({
      id: 'shop',
      unit: 'ctr-shop.service',
      activeState: 'active',
      subState: 'running',
      loadState: 'loaded',
      since: '2026-01-01T00:00:01.000Z',
      enabled: true,
      restarts: 0,
      ports: [{ internal: 80, external: 4000 }],
      engine: 'docker',
      image: 'acme/shop',
      imageId: image.id,
      imageDigest: image.digests[0],
      containerId,
      memoryBytes: 4096,
      cpuMs: 5,
      seLinux: 'off',
      restartNeeded: false,
      lines: [expect.stringContaining('two')],
    })
    host.engine.forgetCalls()
    await agent.status('shop')
    expect(host.engine.calls).toEqual([])
  })

  it('tells the status while the engine is away', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.files.put('/var/run/containers/sh/shop/container-id', 'ab'.repeat(32))
    host.engine.isAway = true
    const status = await agent.status('shop')
    expect(status).toMatchObject({ activeState: 'active', containerId: 'ab'.repeat(32) })
    expect(status.imageId).toBeUndefined()
  })

  it('tells why a container failed, as data and at the end of a wait', async () => {
    const { host, agent, later } = await setUp()
    await agent.install('shop', { Started: true })
    host.files.put('/var/run/containers/sh/shop/last-exit', 'ExitCode=139\nOOMKilled=false\nReason=exited\n')
    host.units.exit(unitOf('shop'), { exitCode: 139 })
    await later()
    expect(await agent.status('shop')).toMatchObject({
      exitCode: 139,
      signal: 'SIGSEGV',
      oomKilled: false,
      cause: 'it was ended by signal SIGSEGV (exit code 139)',
      next: 'Look at its last lines: gear log shop',
    })
    const events: unknown[] = []
    const waiting = (async () => {
      for await (const event of await agent.call('waitContainer', { params: { id: 'shop' } })) events.push(event)
    })()
    await later()
    await waiting
    expect(events.at(-1)).toMatchObject({ event: 'failed', message: expect.stringContaining('SIGSEGV') })
  })

  it('gives the log of a window of time, or the lines asked for', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.journal.add(unitOf('shop'), 'long ago')
    await host.clock.advance(60_000)
    host.journal.add(unitOf('shop'), 'just now')
    const read = async (query: Readonly<Record<string, string>>) =>
      textOf(await agent.call('containerLog', { params: { id: 'shop' }, query }))
    expect(await read({ lines: '5' })).toMatch(/long ago\n.*just now\n$/)
    expect(await read({ lines: '1' })).toMatch(/^[^\n]*just now\n$/)
    expect(await read({ since: '-30' })).toMatch(/^[^\n]*just now\n$/)
    const window = read({})
    await host.clock.advance(100)
    host.journal.add(unitOf('shop'), 'a little later')
    await host.clock.advance(limits.logWindowMs)
    expect(await window).toMatch(/^[^\n]*just now\n[^\n]*a little later\n$/)
    expect(host.clock.sleeping).toBe(0)
    expect(host.journal.following).toBe(0)
  })

  it('lists the images of the engine, the first tag of each', async () => {
    const { host, agent } = await setUp()
    host.engine.addImage(['acme/shop:1', 'acme/shop:latest'])
    host.engine.addImage([])
    host.engine.addImage(['acme/other:1'])
    expect(await textOf(await agent.call('listImages', {}))).toBe('acme/other:1\nacme/shop:1\n')
  })
})

describe('purging', () => {
  it('stops and disables every container, and keeps every file of theirs', async () => {
    const { host, agent } = await setUp()
    for (const id of ['shop', 'other']) await agent.install(id, { Ports: [port(80)], Started: true })
    await agent.install('idle')
    const kept = Object.entries(disk(host)).filter(([path]) => path.startsWith(base))
    await agent.purge()
    expect(Object.entries(disk(host)).filter(([path]) => path.startsWith(base))).toEqual(kept)
    expect(Object.keys(disk(host)).filter(path => path.startsWith(systemd) && path.includes('ctr-'))).toEqual([])
    expect(await agent.list()).toEqual([])
    expect((await agent.list({ all: '1' })).map(({ id, activeState }) => `${id} ${activeState}`)).toEqual([
      'idle inactive',
      'other inactive',
      'shop inactive',
    ])
    expect(await agent.status('shop')).toMatchObject({ cause: 'it is disabled: systemd does not know its unit' })
    const before = disk(host)
    host.files.crash()
    expect(disk(host)).toEqual(before)
  })

  it('reloads once, however many there are', async () => {
    const { host, agent } = await setUp()
    for (let index = 0; index < 10; index++) await agent.install(`shop-${index}`, { Started: true })
    const reloads = host.units.reloadCount
    await agent.purge()
    expect(host.units.reloadCount).toBe(reloads + 1)
  })

  it('goes on with the others when one cannot be stopped, and says so', async () => {
    const { host, agent } = await setUp()
    for (const id of ['first', 'stuck', 'third']) await agent.install(id, { Started: true })
    host.units.fail('stop', unitOf('stuck'), new Error('refused'))
    await expect(agent.purge()).rejects.toMatchObject({ code: 'SYSTEMD_FAILED', message: '1 of 3 containers could not be purged' })
    expect((await agent.list({ all: '1' })).map(({ id, activeState }) => `${id} ${activeState}`)).toEqual([
      'first inactive',
      'stuck active',
      'third inactive',
    ])
  })
})

describe('an id that nobody has installed', () => {
  it.each(['startContainer', 'restartContainer', 'containerStatus', 'containerLog', 'containerPorts', 'waitContainer'] as const)(
    'is unknown to %s, and nothing is left of the attempt',
    async name => {
      const { host, agent } = await setUp()
      const before = host.files.tree()
      await expect(agent.call(name, { params: { id: 'unknown' } })).rejects.toMatchObject({
        code: 'CONTAINER_UNKNOWN',
        message: expect.stringContaining('unknown'),
      })
      expect(host.files.tree()).toEqual(before)
    },
  )

  it('counts as stopped', async () => {
    const { host, agent } = await setUp()
    const before = host.files.tree()
    expect(await agent.stop('unknown')).toBe('Container unknown is stopped\n')
    expect(host.files.tree()).toEqual(before)
  })
})
