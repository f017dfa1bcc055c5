import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type Id, type ListedLink } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

const link = { fromHost: '127.0.0.1', fromPort: 6379, toHost: '10.1.2.3', toPort: 4100 }

/** A host that keeps what it was told, and says of every link the same. */
function hostSaying(outcome: Pick<ListedLink, 'state' | 'answers' | 'problem'>, isInstalled = true) {
  const set: unknown[] = []
  const asked: unknown[] = []
  const handlers: Partial<Handlers> = {
    linkContainers: async ({ body }) => void set.push(body.links),
    listLinks: async ({ params, query }) => {
      asked.push(query)
      return { id: params.id, installed: isInstalled, links: [{ ...link, ...outcome }] }
    },
  }
  return { handlers, set, asked }
}

describe('gear link', () => {
  it('sets the links of all containers of a host with one call', async () => {
    const a = hostSaying({ state: 'applied' })
    const local = hostSaying({ state: 'stored' })
    const result = await gear('link a/web-1 a/web-2 web-3 -n 6379:10.1.2.3:4100', { hosts: { a: a.handlers, local: local.handlers } })
    const out = 'a web-1 web-2 linked\nlocal web-3 linked\nlocal web-3 does not run: its links apply when it starts\n'
    expect(result).toEqual({ out, err: '', exitCode: 0 })
    const networkLinks = [link]
    expect(a.set).toEqual([
      [
        { id: 'web-1' as Id, networkLinks },
        { id: 'web-2' as Id, networkLinks },
      ],
    ])
    expect(local.set).toEqual([[{ id: 'web-3' as Id, networkLinks }]])
  })

  it('takes the links away without the flag', async () => {
    const { handlers, set } = hostSaying({ state: 'stored' })
    await gear('link web-1', { hosts: { local: handlers } })
    expect(set).toEqual([[{ id: 'web-1', networkLinks: [] }]])
  })

  it('says which links were left out, and that they are tried again', async () => {
    const { handlers } = hostSaying({ state: 'waiting', problem: 'db is not an address that can be found' })
    const { out, exitCode } = await gear('link web-1 -n 1:db:2', { hosts: { local: handlers } })
    expect(out).toBe(
      'web-1 linked\nweb-1: 127.0.0.1:6379 -> 10.1.2.3:4100 is left out for now: db is not an address that can be found; it is tried again every 15 s\n',
    )
    expect(exitCode).toBe(0)
  })

  it('says that a container is not there yet', async () => {
    const { handlers } = hostSaying({ state: 'stored' }, false)
    const { out } = await gear('link web-1 -n 1:db:2', { hosts: { local: handlers } })
    expect(out).toBe('web-1 linked\nweb-1 is not installed: its links wait for it\n')
  })

  it('is content with an agent that does not tell what became of them', async () => {
    const { handlers } = hostSaying({ state: 'applied' })
    const listLinks: Handlers['listLinks'] = async () => {
      throw new GearError('CONTAINER_UNKNOWN', 'Not found')
    }
    const outcome = await gear('link web-1 -n 1:db:2', { hosts: { local: { ...handlers, listLinks } } })
    expect(outcome).toEqual({ out: 'web-1 linked\n', err: '', exitCode: 0 })
  })

  it('has the links in its document', async () => {
    const { handlers } = hostSaying({ state: 'applied' })
    const { out } = await gear('link web-1 -n 1:db:2 --output json', { hosts: { local: handlers } })
    expect(JSON.parse(out)).toEqual([
      {
        host: 'local',
        ok: true,
        containers: [{ id: 'web-1', installed: true, links: [{ ...link, state: 'applied' }] }],
        lines: ['web-1 linked'],
      },
    ])
  })

  it.each([
    ['link web-1 web-1', /twice/],
    ['link web-1 -n 80:a:1,80:b:2', /two places/],
    ['link web-1 -n 80:a', /\[fromhost:\]fromport:tohost:toport/],
    ['link web-1 -n 0:a:1', /1 to 65535/],
    ['link web-1 -n 80:a/b:1', /host name/],
    ['link web-1 --check', /--list/],
    ['link web-1 --list -n 80:a:1', /exclude/],
    ['link', /at least one/],
  ])('%s is wrong, and nothing is sent', async (words, complaint) => {
    const { err, exitCode } = await gear(words)
    expect(err).toMatch(complaint)
    expect(exitCode).toBe(1)
  })
})

describe('gear link --list', () => {
  it('is a table of all containers', async () => {
    const { handlers, asked } = hostSaying({ state: 'applied' })
    const { out, exitCode } = await gear('link --list web-1 a/web-2', { hosts: { local: handlers, a: handlers } })
    expect(out).toBe(
      [
        'ID      FROM           TO            STATE   ANSWERS PROBLEM',
        'web-1   127.0.0.1:6379 10.1.2.3:4100 applied         ',
        'a/web-2 127.0.0.1:6379 10.1.2.3:4100 applied         ',
        '',
      ].join('\n'),
    )
    expect(exitCode).toBe(0)
    expect(asked).toEqual([{ check: false }, { check: false }])
  })

  it('ends with 1 when a link that was checked does not answer, and with 0 when all do', async () => {
    const dead = hostSaying({ state: 'applied', answers: false, problem: 'the connection was refused' })
    const refused = await gear('link --list --check web-1', { hosts: { local: dead.handlers } })
    expect(refused.out).toMatch(/applied no +the connection was refused\n$/)
    expect(refused.exitCode).toBe(1)
    expect(dead.asked).toEqual([{ check: true }])
    const alive = hostSaying({ state: 'applied', answers: true })
    expect((await gear('link --list --check web-1', { hosts: { local: alive.handlers } })).exitCode).toBe(0)
  })

  it('is one document for programs', async () => {
    const { handlers } = hostSaying({ state: 'stored' })
    const { out } = await gear('link --list web-1 -o json', { hosts: { local: handlers } })
    expect(JSON.parse(out)).toEqual([{ host: 'local', id: 'web-1', ok: true, installed: true, links: [{ ...link, state: 'stored' }] }])
  })
})
