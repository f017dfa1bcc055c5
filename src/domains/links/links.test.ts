import { describe, expect, it } from 'vitest'
import { type ContainerId, containerUnit } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { linkHandlers } from './handlers.ts'
import { reportLinks } from './link.ts'
import { planLinks } from './plan.ts'
import { Links } from './service.ts'

const id = 'shop' as ContainerId
const other = 'other' as ContainerId
const file = '/var/lib/containers/ports/links/sh/shop'
const applied = '/var/run/containers/sh/shop/links-applied'
const database = { fromHost: '127.0.0.1', fromPort: 6379, toPort: 4100, toHost: '10.1.2.3' }
const mail = { fromHost: '', fromPort: 25, toPort: 25, toHost: 'mail.example' }

function setUp() {
  const host = fakeHost()
  host.files.putFolder('/var/lib/containers/ports/links', 0o750)
  const links = new Links(host)
  const install = (container: ContainerId) => {
    host.files.put(`/var/lib/containers/units/${container.slice(0, 2)}/ctr-${container}.service`, '')
    host.files.put(`/etc/systemd/system/ctr-${container}.service`, '')
  }
  const run = async (container: ContainerId) => {
    install(container)
    await host.units.queueStart(containerUnit(container), 'replace')
    host.units.forgetCalls()
  }
  return { host, links, install, run }
}

describe('setting links', () => {
  it('stores one a line, for root and its group only', async () => {
    const { host, links } = setUp()
    await links.set([{ id, networkLinks: [database, mail, { ...mail, fromPort: 26, toPort: 0, toHost: '' }] }])
    expect(host.files.tree('/var/lib/containers/ports/links')).toEqual({
      [file]: '127.0.0.1\t6379\t4100\t10.1.2.3\n\t25\t25\tmail.example\n\t26\t0\t\n',
    })
    expect(host.files.modeOf(file)).toBe(0o660)
    expect(host.files.modeOf('/var/lib/containers/ports/links/sh')).toBe(0o770)
  })

  it('survives a power cut once it was answered for', async () => {
    const { host, links } = setUp()
    await links.set([{ id, networkLinks: [database] }])
    const before = host.files.tree('/var/lib/containers')
    host.files.crash()
    expect(host.files.tree('/var/lib/containers')).toEqual(before)
  })

  it('asks systemd to apply them to containers that run, and nothing of it for those that do not', async () => {
    const { host, links, run } = setUp()
    await run(id)
    await links.set([
      { id, networkLinks: [database] },
      { id: other, networkLinks: [] },
    ])
    expect(host.units.calls.filter(call => call.startsWith('queue'))).toEqual(['queueRestart gear-links@shop.service'])
  })

  it('stores those of the others when it fails for one, and says so', async () => {
    const { host, links } = setUp()
    host.units.fail('status', 'ctr-shop.service', new Error('no answer'))
    const both = links.set([
      { id, networkLinks: [database] },
      { id: other, networkLinks: [database] },
    ])
    await expect(both).rejects.toThrow('no answer')
    expect(Object.keys(host.files.tree('/var/lib/containers/ports/links'))).toEqual(['/var/lib/containers/ports/links/ot/other'])
  })

  it('has stored them before systemd is asked', async () => {
    const { host, links, run } = setUp()
    await run(id)
    host.units.fail('queueRestart', 'gear-links@shop.service', new Error('no answer'))
    await expect(links.set([{ id, networkLinks: [database] }])).rejects.toThrow('no answer')
    expect(host.files.tree('/var/lib/containers/ports/links')).toEqual({ [file]: '127.0.0.1\t6379\t4100\t10.1.2.3\n' })
  })
})

describe('planning links', () => {
  it.each([
    [true, ['storeLinks', 'applyLinks']],
    [false, ['storeLinks']],
  ])('of a container that is up: %s', (isUp, kinds) => {
    expect(planLinks({ id, links: [], isUp }).map(step => step.kind)).toEqual(kinds)
  })
})

describe('what became of a link', () => {
  const done = { ...database, address: '10.1.2.3', problem: '' }
  it.each([
    ['applied', true, [done], { state: 'applied', address: '10.1.2.3' }],
    ['left out', true, [{ ...database, address: '', problem: 'no such name' }], { state: 'waiting', problem: 'no such name' }],
    ['not applied yet', true, [{ ...done, toPort: 4200 }], { state: 'pending' }],
    ['of a container that does not run', false, [], { state: 'stored' }],
  ] as const)('%s', (_, isUp, outcomes, expected) => {
    expect(reportLinks({ links: [database], applied: outcomes, isUp })).toEqual([{ ...database, ...expected }])
  })

  it.each([true, false])('that leads nowhere yet, with a container that runs or not', isUp => {
    const [link] = reportLinks({ links: [{ ...database, toPort: 0 }], applied: [], isUp })
    expect(link?.state).toBe('incomplete')
  })
})

describe('listing links', () => {
  it('tells what the helper wrote', async () => {
    const { host, links, run } = setUp()
    await run(id)
    await links.set([{ id, networkLinks: [database, mail] }])
    host.files.put(
      applied,
      '127.0.0.1\t6379\t4100\t10.1.2.3\t10.1.2.3\t\n\t25\t25\tmail.example\t\tmail.example is not an address that can be found\n',
    )
    expect(await links.report(id, { isChecked: false })).toEqual({
      id,
      installed: true,
      links: [
        { ...database, state: 'applied', address: '10.1.2.3' },
        { ...mail, state: 'waiting', problem: 'mail.example is not an address that can be found' },
      ],
    })
  })

  it('tries those in effect from inside the container, on request', async () => {
    const { host, links, run } = setUp()
    await run(id)
    const second = { ...database, fromPort: 6380 }
    await links.set([{ id, networkLinks: [database, second, mail] }])
    host.files.put(applied, '127.0.0.1\t6379\t4100\t10.1.2.3\t10.1.2.3\t\n127.0.0.1\t6380\t4100\t10.1.2.3\t10.1.2.3\t\n')
    host.namespaces.answering.add('127.0.0.1:6379')
    expect((await links.report(id, { isChecked: true })).links).toEqual([
      { ...database, state: 'applied', address: '10.1.2.3', answers: true },
      { ...second, state: 'applied', address: '10.1.2.3', answers: false, problem: 'the connection was refused' },
      { ...mail, state: 'pending' },
    ])
  })

  it('asks the engine nothing when there is nothing to try', async () => {
    const { host, links, install } = setUp()
    install(id)
    host.engine.isAway = true
    expect((await links.report(id, { isChecked: true })).links).toEqual([])
  })

  it('is possible for a container that is not installed yet, but has links', async () => {
    const { links } = setUp()
    await links.set([{ id, networkLinks: [database] }])
    const { linkContainers, listLinks } = linkHandlers(links)
    expect(linkContainers).toBeDefined()
    const call = { params: { id }, query: { check: false } } as Parameters<typeof listLinks>[0]
    expect(await listLinks(call)).toEqual({ id, installed: false, links: [{ ...database, state: 'stored' }] })
  })

  it('of one that neither exists nor has links is refused', async () => {
    const { links } = setUp()
    await expect(links.report(id, { isChecked: false })).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' })
  })

  it('says where the file is that somebody has spoilt', async () => {
    const { host, links } = setUp()
    host.files.put(file, '127.0.0.1 80 80 example\n')
    await expect(links.report(id, { isChecked: false })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(file),
      cause: { message: expect.stringContaining('tabs') },
    })
  })
})
