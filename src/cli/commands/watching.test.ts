import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type ListedContainer } from '../../api/index.ts'
import { Interruption } from '../context.ts'
import { gear } from '../fake-context.ts'

const unit = (id: string, activeState = 'active', subState = 'running'): ListedContainer => ({
  id,
  activeState,
  subState,
  loadState: 'loaded',
})
const units = [
  unit('web-1'),
  unit('web-2', 'failed', 'failed'),
  unit('db-1', 'activating', 'auto-restart'),
  unit('db-2', 'inactive', 'dead'),
]

const listContainers: Handlers['listContainers'] = async ({ query }) => ({
  containers: query.all ? units : units.filter(({ activeState }) => activeState !== 'inactive'),
})
const hosts = { local: { listContainers }, node7: { listContainers }, node8: { listContainers } }
const list = async (words: string) => (await gear(`list -q ${words}`, { hosts })).out.trim().split('\n').join(' ')

describe('gear list-units', () => {
  it.each([
    ['--state active', 'web-1'],
    ['--state failed,inactive', 'db-2 web-2'],
    ['--state running --state dead', 'db-2 web-1'],
    ['--failed', 'db-1 web-2'],
    ['web-*', 'web-1 web-2'],
    ['*-1 --failed', 'db-1'],
    ['web-[!1]', 'web-2'],
    ['node7/web-?', 'node7/web-1 node7/web-2'],
    ['node7 web-1*', 'node7/web-1'],
    ['node8/db-* node7 --state active,activating', 'node8/db-1 node7/db-1 node7/web-1'],
    ['no-such-*', ''],
  ])('shows what is asked for: %s', async (words, expected) => {
    expect((await list(words)).split(' ').sort()).toEqual(expected.split(' ').sort())
  })

  it('gives programs only what was asked for, too', async () => {
    const { out } = await gear('list --failed -o json', { hosts })
    expect(JSON.parse(out)).toMatchObject([{ host: 'local', containers: [{ id: 'web-2' }, { id: 'db-1' }] }])
  })

  it.each([
    ['--state active;', 'must be words of systemd'],
    ['--interval 2', '--interval needs --watch'],
    ['--watch --interval 0', 'must be a number of seconds'],
    ['a/b', 'the host must be'],
  ])('says what is wrong: %s', async (words, message) => {
    expect(await gear(`list ${words}`, { hosts })).toMatchObject({ out: '', exitCode: 1, err: expect.stringContaining(message) })
  })
})

/** Answers one list after the other, and then interrupts. */
function changing(lists: readonly (readonly ListedContainer[] | Error)[]) {
  const stop = new AbortController()
  let looks = 0
  const handler: Handlers['listContainers'] = async () => {
    const found = lists[looks] ?? []
    if (found instanceof Error) throw found
    return { containers: [...found] }
  }
  const onPause = () => {
    looks++
    if (looks === lists.length) stop.abort(new Interruption('SIGINT'))
  }
  return { hosts: { local: { listContainers: handler } }, signal: stop.signal, onPause }
}

describe('gear list-units --watch', () => {
  it('prints every new state once where there is no terminal, until it is interrupted', async () => {
    const { out, exitCode } = await gear('list --watch -q', changing([[unit('web-1')], [unit('web-1')], [unit('web-2')]]))
    expect(out).toBe('web-1\n\nweb-2\n')
    expect(exitCode).toBe(130)
  })

  it('draws over the screen on a terminal, gives it back, and leaves the last state', async () => {
    const { out } = await gear('list --watch -q', { ...changing([[unit('web-1')], [unit('web-2')]]), isTerminal: true })
    expect(out).toBe(
      '\u001b[?1049h\u001b[?25l\u001b[Hweb-1\u001b[K\r\n\u001b[J\u001b[Hweb-2\u001b[K\r\n\u001b[J\u001b[?25h\u001b[?1049lweb-2\n',
    )
  })

  it('draws no more than the screen has room for, and nothing of others that moves the cursor', async () => {
    const many = Array.from({ length: 10 }, (_, index) => unit(`web-${index}-with-a-long-name`))
    const { out } = await gear('list --watch -q', { ...changing([many]), isTerminal: true, rows: 5, columns: 10 })
    const [drawn = ''] = out.split('\u001b[?25h')
    expect(drawn.split('\r\n').length).toBe(5)
    expect(drawn).toContain('web-2-with\u001b[K\r\n… and 7 li\u001b[K')
  })

  it('goes on when a host fails meanwhile, and tells why below', async () => {
    const failure = new GearError('HOST_UNREACHABLE', 'away')
    const { out } = await gear('list --watch -q', changing([[unit('web-1')], failure]))
    expect(out).toContain('\nweb-1\nError: local: away [HOST_UNREACHABLE]')
  })

  it('ends when no host answers at all', async () => {
    const { out, err, exitCode } = await gear('list --watch', changing([new GearError('HOST_UNREACHABLE', 'away'), []]))
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 1 })
    expect(err).toMatch(/^Error: away \[HOST_UNREACHABLE\]/)
  })
})

function using(): { readonly hosts: Readonly<Record<string, Partial<Handlers>>>; readonly onPause: () => void } {
  let nowMs = 1000
  let looks = 0
  const containersUsage: Handlers['containersUsage'] = async () => ({
    atMs: nowMs,
    containers: [
      {
        id: 'idle-1',
        activeState: 'active',
        subState: 'running',
        restarts: 0,
        memoryBytes: 900 * 2 ** 20,
        memoryMaxBytes: 2 ** 30,
        cpuMs: 7,
      },
      { id: 'busy-1', activeState: 'active', subState: 'running', restarts: 2, memoryBytes: 1536, cpuMs: looks * 1500 },
      { id: 'away-1', activeState: 'activating', subState: 'auto-restart', restarts: 9 },
    ],
  })
  return {
    hosts: { local: { containersUsage }, node7: { containersUsage } },
    onPause: () => {
      nowMs += 1000
      looks++
    },
  }
}

describe('gear top', () => {
  it('looks once where there is no terminal, what needs most first', async () => {
    const { out, exitCode } = await gear('top', using())
    expect(out).toBe(
      [
        'ID      SERVER  STATE                     CPU     MEMORY  LIMIT   RESTARTS',
        'busy-1  local   active                    150.0%  1.5K    -       2',
        'idle-1  local   active                    0.0%    900M    1G      0',
        'away-1  local   activating (auto-restart) -       -       -       9',
        '',
      ].join('\n'),
    )
    expect(exitCode).toBe(0)
  })

  it.each([
    ['memory', 'idle-1 busy-1 away-1'],
    ['restarts', 'away-1 busy-1 idle-1'],
    ['id', 'away-1 busy-1 idle-1'],
    ['state', 'away-1 busy-1 idle-1'],
  ])('sorts by %s', async (order, expected) => {
    const { out } = await gear(`top --sort ${order}`, using())
    const ids = out
      .split('\n')
      .slice(1, -1)
      .map(line => line.split(' ')[0])
    expect(ids.join(' ')).toBe(expected)
  })

  it('gives programs the numbers', async () => {
    const { out } = await gear('top node7 -o json', using())
    expect(JSON.parse(out)).toMatchObject([
      {
        host: 'node7',
        ok: true,
        containers: [
          { id: 'idle-1', cpuPercent: 0, memoryBytes: 943_718_400 },
          { id: 'busy-1', cpuPercent: 150 },
          { id: 'away-1', restarts: 9 },
        ],
      },
    ])
  })

  it.each([
    ['q', 0],
    ['\u0003', 130],
  ])('ends on a terminal at the key %j, which is not shown, and leaves the last page', async (input, expected) => {
    const { out, exitCode } = await gear('top', { ...using(), isTerminal: true, input })
    expect(exitCode).toBe(expected)
    expect(out.slice(out.indexOf('\u001b[?1049l'))).toContain('busy-1')
    expect(out).not.toContain(input)
  })

  it('tells the whole reason why a host does not answer, however narrow the terminal', async () => {
    const failing: Handlers['containersUsage'] = async () => {
      throw new GearError('HOST_UNREACHABLE', 'The agent at node8:43273 cannot be reached: nothing listens there')
    }
    const { hosts: all, onPause } = using()
    const hosts = { ...all, node8: { containersUsage: failing } }
    const { out } = await gear('top local node8', { hosts, onPause, isTerminal: true, columns: 40, input: 'q' })
    const drawn = out.slice(0, out.indexOf('\u001b[?1049l'))
    expect(drawn).toContain('nothing')
    expect(drawn).toContain('listens there')
  })

  it('goes on until it is interrupted on a terminal', async () => {
    const stop = new AbortController()
    const { hosts: all, onPause } = using()
    let pauses = 0
    const { out, exitCode } = await gear('top --interval 1', {
      hosts: all,
      isTerminal: true,
      signal: stop.signal,
      onPause: () => {
        onPause()
        if (++pauses === 3) stop.abort(new Interruption('SIGINT'))
      },
    })
    expect(exitCode).toBe(130)
    expect(out.split('\u001b[H').length).toBe(4)
    expect(out.slice(out.indexOf('\u001b[?1049l'))).toMatch(/ID {6}SERVER[\s\S]*busy-1 {2}local {3}active {20}150\.0%/)
  })
})
