/** Installing and updating containers, as told over the API: what is made, what is kept, and what is refused. */
import { describe, expect, it } from 'vitest'
import { agentOn, base, codeOf, disk, expectWhole, port, reservations, setUp, systemd, unitOf, unitPath } from './machine.ts'

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
    expect(text).toBe(
      'Container shop is installed\nIt no longer has what was not given again: --isolate -p 80:4000\nIt now has --memory 512m instead of --memory 2g\n',
    )
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
