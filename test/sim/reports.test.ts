/** What the agent says of its containers, and of those that nobody has installed. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/api/index.ts'
import { base, port, setUp, systemd, textOf, unitOf, unitPath } from './machine.ts'

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
