import { describe, expect, it } from 'vitest'
import { type ContainerId, containerUnit, limits, type WaitEvent } from '../../api/index.ts'
import { type FakeHost, fakeHost, neverRan } from '../../host/fakes.ts'
import type { UnitStatus } from '../../host/index.ts'
import { judge, waitForContainer } from './wait.ts'

const id = 'shop' as ContainerId
const unit = containerUnit(id)

const inactive: UnitStatus = {
  name: unit,
  loadState: 'loaded',
  activeState: 'inactive',
  subState: 'dead',
  hasJob: false,
  needsReload: false,
  ...neverRan,
}

describe('what a state means for a wait', () => {
  it.each<{ target: 'started' | 'stopped'; status: Partial<UnitStatus>; activeMs?: number; verdict: ReturnType<typeof judge> }>([
    { target: 'started', status: {}, verdict: 'failed' },
    { target: 'started', status: { hasJob: true }, verdict: 'going on' },
    { target: 'started', status: { activeState: 'failed' }, verdict: 'failed' },
    { target: 'started', status: { activeState: 'failed', hasJob: true }, verdict: 'going on' },
    { target: 'started', status: { activeState: 'activating', subState: 'start-pre', hasJob: true }, verdict: 'going on' },
    { target: 'started', status: { activeState: 'activating', subState: 'auto-restart' }, verdict: 'failed' },
    { target: 'started', status: { activeState: 'activating', subState: 'auto-restart', hasJob: true }, verdict: 'going on' },
    { target: 'started', status: { activeState: 'active' }, activeMs: 0, verdict: 'settling' },
    { target: 'started', status: { activeState: 'active' }, activeMs: limits.settleMs - 1, verdict: 'settling' },
    { target: 'started', status: { activeState: 'active' }, activeMs: limits.settleMs, verdict: 'reached' },
    { target: 'started', status: { activeState: 'active', hasJob: true }, activeMs: limits.settleMs, verdict: 'going on' },
    { target: 'started', status: { activeState: 'deactivating' }, verdict: 'going on' },
    { target: 'stopped', status: {}, verdict: 'reached' },
    { target: 'stopped', status: { loadState: 'not-found' }, verdict: 'reached' },
    { target: 'stopped', status: { activeState: 'failed' }, verdict: 'reached' },
    { target: 'stopped', status: { hasJob: true }, verdict: 'going on' },
    { target: 'stopped', status: { activeState: 'active' }, verdict: 'going on' },
    { target: 'stopped', status: { activeState: 'deactivating' }, verdict: 'going on' },
    { target: 'stopped', status: { activeState: 'activating', subState: 'auto-restart' }, verdict: 'going on' },
  ])('$target, $status, active for $activeMs ms: $verdict', ({ target, status, activeMs = 0, verdict }) => {
    expect(judge(target, { ...inactive, ...status }, activeMs)).toBe(verdict)
  })
})

describe('waiting', () => {
  function setUp() {
    const host = fakeHost()
    host.files.put('/base/ctr-shop.service', '[Unit]\nDescription=Container shop\n')
    host.files.putLink('/base/ctr-shop.service', `/etc/systemd/system/${unit}`)
    host.units.behave(unit, { start: 'pending', stop: 'pending' })
    return host
  }

  function wait(host: FakeHost, target: 'started' | 'stopped', signal = new AbortController().signal) {
    const events: WaitEvent[] = []
    const explain = async () => ({ cause: 'its process ended with exit code 3', next: 'Look at its last lines: gear log shop' })
    const ended = (async () => {
      for await (const event of waitForContainer(host, { id, target, signal, explain })) events.push(event)
    })()
    return { events, ended }
  }

  it('for a stop leaves out what a start has just said', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    host.journal.add(unit, 'Started container')
    host.units.finishJob(unit)
    await host.clock.advance(300)
    await host.units.queueStop(unit, 'replace')
    host.journal.add(unit, 'Stopping container')
    const { events, ended } = wait(host, 'stopped')
    await host.clock.advance(100)
    host.units.finishJob(unit)
    await host.clock.advance(1000)
    await ended
    expect(events.filter(({ event }) => event === 'log').map(({ message }) => message.replace(/.*: /, ''))).toEqual(['Stopping container'])
  })

  it('tells the states and the log on the way, and that the container has started', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const { events, ended } = wait(host, 'started')
    await host.clock.advance(100)
    host.journal.add(unit, 'Pulling layer 1 of 7')
    await host.clock.advance(100)
    host.units.finishJob(unit)
    await host.clock.advance(limits.settleMs + 200)
    await ended
    expect(events.map(({ event, message }) => `${event} ${message.replace(/^.*: /, '')}`)).toEqual([
      'state activating (start-pre)',
      'log Pulling layer 1 of 7',
      'state active (running)',
      'reached active (running)',
    ])
  })

  it.each([86_400_000, -86_400_000])('waits as long as it would when the clock is set by %d ms', async ms => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const { events, ended } = wait(host, 'started')
    await host.clock.advance(1_500)
    host.clock.jump(ms)
    await host.clock.advance(1_500)
    host.units.finishJob(unit)
    await host.clock.advance(1)
    host.clock.jump(ms)
    await host.clock.advance(limits.settleMs + 200)
    await ended
    expect(events.at(-1)).toEqual({ event: 'reached', message: 'active (running)' })
  })

  it('does not report a container as started that ends in its first moment', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const { events, ended } = wait(host, 'started')
    host.units.finishJob(unit)
    await host.clock.advance(limits.settleMs / 2)
    host.units.exit(unit, { exitCode: 3 })
    await host.clock.advance(limits.settleMs)
    await ended
    expect(events.at(-1)).toEqual({
      event: 'failed',
      code: 'START_FAILED',
      message: 'Container shop did not start: its process ended with exit code 3',
      next: 'Look at its last lines: gear log shop',
    })
  })

  it('passes on what the journal says of the end, which may come a little later', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const { events, ended } = wait(host, 'started')
    await host.clock.advance(1)
    host.units.finishJob(unit, 'failed')
    await host.clock.advance(50)
    host.journal.add(unit, 'docker: image not found')
    await host.clock.advance(1000)
    await ended
    expect(events.map(event => event.event)).toEqual(['state', 'state', 'log', 'failed'])
  })

  it('reaches stopped when the unit is down, however it got there', async () => {
    const host = setUp()
    host.units.behave(unit, { start: 'active' })
    await host.units.queueStart(unit, 'replace')
    await host.units.queueStop(unit, 'replace')
    const { events, ended } = wait(host, 'stopped')
    await host.clock.advance(100)
    host.units.finishJob(unit, 'failed')
    await host.clock.advance(1000)
    await ended
    expect(events.map(event => event.event)).toEqual(['state', 'state', 'reached'])
  })

  it.each([
    { name: 'nobody has started', began: false, cause: 'it does not run, and no start of it is under way' },
    { name: 'has done its work', began: true, cause: 'it ended at once, and successfully' },
  ])('tells of a container that $name', async ({ began, cause }) => {
    const host = setUp()
    host.files.putLink('/base/ctr-shop.service', `/etc/systemd/system/container-active.target.wants/${unit}`)
    await host.units.reload()
    host.units.set(unit, { activeSinceMs: began ? 1 : 0 })
    const events: WaitEvent[] = []
    const signal = new AbortController().signal
    const ended = (async () => {
      for await (const event of waitForContainer(host, { id, target: 'started', signal, explain: async () => undefined }))
        events.push(event)
    })()
    await host.clock.advance(1000)
    await ended
    expect(events.at(-1)).toMatchObject({ event: 'failed', message: `Container shop did not start: ${cause}` })
  })

  it('notices by itself what systemd forgot to tell', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    host.units.hold('changes')
    const { events } = wait(host, 'started')
    await host.clock.advance(100)
    host.units.finishJob(unit)
    await host.clock.advance(3000)
    expect(events.at(-1)?.event).toBe('reached')
  })

  it('gives up after its time', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const { events, ended } = wait(host, 'started')
    await host.clock.advance(limits.startWaitMs + 2000)
    await ended
    expect(events.at(-1)).toMatchObject({ event: 'failed', code: 'WAIT_TIMEOUT' })
  })

  it('ends without a verdict when nobody waits any more, and leaves nothing running', async () => {
    const host = setUp()
    await host.units.queueStart(unit, 'replace')
    const caller = new AbortController()
    const { events, ended } = wait(host, 'started', caller.signal)
    await host.clock.advance(100)
    caller.abort()
    await ended
    expect(events.map(event => event.event)).toEqual(['state'])
    expect(host.journal.following).toBe(0)
    expect(host.clock.sleeping).toBe(0)
  })

  it('leaves nothing running when it has ended by itself', async () => {
    const host = setUp()
    const { ended } = wait(host, 'stopped')
    await host.clock.advance(1000)
    await ended
    expect(host.journal.following).toBe(0)
    expect(host.clock.sleeping).toBe(0)
  })

  it('fails when systemd cannot be reached', async () => {
    const host = setUp()
    host.units.isAway = true
    const { ended } = wait(host, 'started')
    await expect(Promise.all([ended, host.clock.advance(1000)])).rejects.toMatchObject({ code: 'SYSTEMD_UNAVAILABLE' })
    expect(host.journal.following).toBe(0)
  })
})
