/** Deleting containers, as told over the API: what goes, what stays, and what is not touched. */
import { describe, expect, it, vi } from 'vitest'
import { GearError, limits } from '../../src/api/index.ts'
import { agentOn, base, codeOf, disk, expectWhole, port, reservations, setUp, unitOf, unitPath } from './machine.ts'

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

  it('says that it is the engine which the stop waits for, when that has gone meanwhile', async () => {
    const { host, agent } = await setUp()
    await agent.install('shop', { Started: true })
    host.units.behave(unitOf('shop'), { stop: 'pending' })
    const outcome = codeOf(agent.delete('shop'))
    await vi.waitFor(() => expect(host.units.calls).toContain('stop ctr-shop.service'))
    host.engine.isAway = true
    await host.clock.advance(limits.unitJobMs)
    expect(await outcome).toBe('ENGINE_UNAVAILABLE')
    host.engine.isAway = false
    host.units.finishJob(unitOf('shop'))
    await agent.delete('shop')
    expect(await agent.list({ all: '1' })).toEqual([])
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
