/** Starting, restarting, stopping and purging containers, as told over the API. */
import { describe, expect, it } from 'vitest'
import { explain, limits } from '../../src/api/index.ts'
import { base, disk, expectWhole, port, setUp, systemd, textOf, unitOf, unitPath } from './machine.ts'

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
    await expect(agent.purge()).rejects.toMatchObject({
      code: 'SYSTEMD_FAILED',
      message: expect.stringMatching(/^1 of 3 containers could not be purged \(stuck\); the same purge clears them once that is mended/),
    })
    expect((await agent.list({ all: '1' })).map(({ id, activeState }) => `${id} ${activeState}`)).toEqual([
      'first inactive',
      'stuck active',
      'third inactive',
    ])
  })

  it('names the engine where that is what stops wait for, and clears them once it answers', async () => {
    const { host, agent } = await setUp()
    for (const id of ['first', 'stuck', 'third']) await agent.install(id, { Started: true })
    host.units.behave(unitOf('stuck'), { stop: 'pending' })
    host.units.fail('stop', unitOf('third'), new Error('refused'))
    host.engine.isAway = true
    const outcome = agent.purge().catch((error: unknown) => error)
    await host.clock.advance(limits.unitJobMs)
    const error = await outcome
    expect(error).toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    expect(explain(error)).toMatch(
      /^2 of 3 containers could not be purged \(stuck, third\); .*: ctr-stuck\.service has not stopped in 150 seconds: The container engine does not answer/,
    )
    host.engine.isAway = false
    host.units.finishJob(unitOf('stuck'))
    await agent.purge()
    expect(await agent.list()).toEqual([])
  })
})
