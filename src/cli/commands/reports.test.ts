import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type ListedContainer } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

const away: () => Promise<never> = () => Promise.reject(new GearError('HOST_UNREACHABLE', 'The agent at b:43273 cannot be reached'))

describe('gear status', () => {
  const containerStatus: Handlers['containerStatus'] = async ({ params, query, wants }) => {
    if (params.id === 'missing') throw new GearError('CONTAINER_UNKNOWN', 'There is no container missing')
    if (wants === 'text') return { text: `● ctr-${params.id}.service\n   Active: active (running)\n` }
    const lines = Array.from({ length: query.lines }, (_, index) => `line ${index}`)
    return {
      data: {
        id: params.id,
        unit: `ctr-${params.id}.service`,
        activeState: 'active',
        subState: 'running',
        loadState: 'loaded',
        enabled: true,
        restarts: 0,
        ports: [],
        image: 'acme/shop',
        restartNeeded: false,
        lines,
      },
    }
  }
  const hosts = { local: { containerStatus }, a: { containerStatus } }

  it('prints the report as it comes, without the host, and a dashed line between several', async () => {
    expect(await gear('status web-1', { hosts })).toMatchObject({ out: '● ctr-web-1.service\n   Active: active (running)\n', exitCode: 0 })
    expect((await gear('status a/web-1 web-2', { hosts })).out).toBe(
      '● ctr-web-1.service\n   Active: active (running)\n\n-------------\n● ctr-web-2.service\n   Active: active (running)\n',
    )
  })

  it('prints the others when one is missing, exit 1', async () => {
    const { out, err, exitCode } = await gear('status missing web-2', { hosts })
    expect(out).toBe('● ctr-web-2.service\n   Active: active (running)\n')
    expect(err).toMatch(/^Error: missing: There is no container missing \[CONTAINER_UNKNOWN\]/)
    expect(exitCode).toBe(1)
  })

  it('gives data on request', async () => {
    const [item] = JSON.parse((await gear('status web-1 -o json', { hosts })).out)
    expect(item).toMatchObject({ host: 'local', id: 'web-1', ok: true, status: { activeState: 'active', image: 'acme/shop' } })
    expect(item.status.lines).toHaveLength(10)
  })
})

describe('gear list-units', () => {
  function hostWith(...containers: readonly ListedContainer[]) {
    const listContainers: Handlers['listContainers'] = async ({ query }) => ({
      containers: query.all
        ? [...containers, { id: 'old-1', activeState: 'inactive', subState: 'dead', loadState: 'loaded' }]
        : [...containers],
    })
    return { listContainers }
  }
  const running = { activeState: 'active', subState: 'running', loadState: 'loaded' }
  const hosts = {
    local: hostWith({ id: 'web-1', ...running }),
    '127.0.0.1:43999': hostWith({ id: 'web-2', ...running }, { id: 'abcd', ...running, jobType: 'start' }),
    b: { listContainers: away },
  }

  it('prints the table of the original, sorted by id over all hosts', async () => {
    expect(await gear('list-units local 127.0.0.1:43999', { hosts })).toEqual({
      out: [
        'ID      SERVER          ACTIVE  SUB     LOAD    TYPE',
        'abcd    127.0.0.1:43999 active  running loaded  start',
        'web-1   local           active  running loaded  ',
        'web-2   127.0.0.1:43999 active  running loaded  ',
        '',
      ].join('\n'),
      err: '',
      exitCode: 0,
    })
  })

  it('lists this machine when no host is named, and stopped ones with --all', async () => {
    expect((await gear('list -a', { hosts })).out.split('\n').map(line => line.split(' ')[0])).toEqual(['ID', 'old-1', 'web-1', ''])
  })

  it('prints names that other commands take', async () => {
    expect((await gear('list -q local 127.0.0.1:43999', { hosts })).out).toBe('127.0.0.1:43999/abcd\nweb-1\n127.0.0.1:43999/web-2\n')
  })

  it('lists the hosts that answer when one does not, exit 1', async () => {
    const { out, err, exitCode } = await gear('list b local', { hosts })
    expect(out).toMatch(/^ID .*\nweb-1 /)
    expect(err).toMatch(/^Error: b: The agent at b:43273 cannot be reached \[HOST_UNREACHABLE\]/)
    expect(exitCode).toBe(1)
  })

  it('gives data on request', async () => {
    const document = JSON.parse((await gear('list -o json local b', { hosts })).out)
    expect(document).toMatchObject([
      { host: 'local', ok: true, containers: [{ id: 'web-1', activeState: 'active' }] },
      { host: 'b', ok: false, error: { code: 'HOST_UNREACHABLE' } },
    ])
  })
})

describe('gear list-images', () => {
  const hosts = {
    local: { listImages: async () => ({ text: 'acme/shop:1\nacme/db:2\n' }) },
    a: { listImages: async () => ({ text: 'busybox\n' }) },
  }

  it('prints one a line, with the host when there are several', async () => {
    expect((await gear('list-images', { hosts })).out).toBe('acme/shop:1\nacme/db:2\n')
    expect((await gear('list-images a local', { hosts })).out).toBe('a busybox\nlocal acme/shop:1\nlocal acme/db:2\n')
  })

  it('gives data on request', async () => {
    expect(JSON.parse((await gear('list-images -o json', { hosts })).out)).toEqual([
      { host: 'local', ok: true, images: ['acme/shop:1', 'acme/db:2'] },
    ])
  })
})

describe('gear log', () => {
  async function log(words: string) {
    const queries: unknown[] = []
    const containerLog: Handlers['containerLog'] = async ({ params, query }) => {
      queries.push(query)
      return { text: `a line of ${params.id}\n` }
    }
    return { ...(await gear(`log ${words}`, { hosts: { local: { containerLog } } })), queries }
  }

  it.each([
    ['web-1', { lines: 100 }],
    ['web-1 --lines 5', { lines: 5 }],
    ['web-1 -n 5', { lines: 5 }],
    ['web-1 -f', { follow: true, lines: 100 }],
    ['web-1 --since 10m', { since: '-10m' }],
    ['web-1 --since=-10m', { since: '-10m' }],
    ['web-1 --since -1h', { since: '-1h' }],
    ['web-1 --since=today -n 3', { since: 'today', lines: 3 }],
  ])('asks for what was said: %s', async (words, query) => {
    expect((await log(words)).queries).toEqual([query])
  })

  it('prints the lines, with the host when there are several', async () => {
    expect((await log('web-1')).out).toBe('a line of web-1\n')
    expect((await log('web-1 web-2')).out).toBe('local a line of web-1\nlocal a line of web-2\n')
  })

  it('follows several of one host beside each other', async () => {
    const second = Promise.withResolvers<void>()
    const containerLog: Handlers['containerLog'] = async ({ params }) => {
      async function* text() {
        if (params.id === 'web-1') await second.promise
        yield `${params.id}\n`
        second.resolve()
      }
      return { text: text() }
    }
    expect((await gear('log -f web-1 web-2', { hosts: { local: { containerLog } } })).out).toBe('local web-2\nlocal web-1\n')
  })

  it('refuses a time that is none before anything is sent', async () => {
    expect(await log('web-1 --since $(reboot)')).toMatchObject({ queries: [], exitCode: 1 })
    expect(await log('web-1 --lines 10001')).toMatchObject({
      queries: [],
      err: expect.stringMatching(/^gear: --lines: must be a whole number from 0 to 10000/),
    })
  })
})

describe('gear env', () => {
  const getEnvironment: Handlers['getEnvironment'] = async ({ params }) => ({ text: `NAME=${params.id}\nA=B\n` })
  const hosts = { local: { getEnvironment }, a: { getEnvironment } }

  it('prints environments verbatim', async () => {
    expect((await gear('env shop-env a/db-env', { hosts })).out).toBe('NAME=shop-env\nA=B\nNAME=db-env\nA=B\n')
  })

  it('gives data on request', async () => {
    const variables = [
      { name: 'NAME', value: 'shop-env' },
      { name: 'A', value: 'B' },
    ]
    expect(JSON.parse((await gear('env shop-env -o json', { hosts })).out)).toEqual([
      { host: 'local', id: 'shop-env', ok: true, variables },
    ])
  })
})

describe('gear set-env', () => {
  async function setEnv(words: string, files = {}) {
    const calls: unknown[] = []
    const record =
      (name: string): Handlers['putEnvironment'] =>
      async ({ params, body }) =>
        void calls.push([name, params.id, body.variables.map(variable => `${variable.name}=${variable.value}`)])
    const hosts = { local: { putEnvironment: record('put'), patchEnvironment: record('patch') } }
    return { ...(await gear(`set-env ${words}`, { hosts, files })), calls }
  }

  it.each([
    ['shop-env A=B C=D', [['patch', 'shop-env', ['A=B', 'C=D']]]],
    [
      'A=B shop-env C=D db-env',
      [
        ['patch', 'shop-env', ['A=B', 'C=D']],
        ['patch', 'db-env', ['A=B', 'C=D']],
      ],
    ],
    ['shop-env A=B --env-file f', [['patch', 'shop-env', ['X=1', 'A=0', 'A=B']]]],
    ['--reset shop-env A=B', [['put', 'shop-env', ['A=B']]]],
    ['shop-env --reset', [['put', 'shop-env', []]]],
    ['shop-env --env-file empty', [['patch', 'shop-env', []]]],
  ])('sends what was said, and prints nothing: %s', async (words, calls) => {
    expect(await setEnv(words, { f: 'X=1\nA=0\n', empty: '\n' })).toEqual({ calls, out: '', err: '', exitCode: 0 })
  })
})
