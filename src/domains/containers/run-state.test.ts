import { describe, expect, it } from 'vitest'
import type { ContainerId } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { containerPaths } from '../layout/index.ts'
import { parseLastExit, readQuota, readRunState, readUserNumbers } from './run-state.ts'

const nothing = { exitCode: undefined, oomKilled: false, reason: 'exited', result: '', message: '', finishedAt: undefined }

describe('last-exit', () => {
  it('is read as the cleanup helper writes it', () => {
    const text = [
      'ExitCode=143',
      'Signal=15',
      'OOMKilled=false',
      'StartedAt=2026-01-02T10:00:00.5Z',
      'FinishedAt=2026-01-02T10:05:00.25Z',
      'Image=sha256:0123',
      'Reason=stopped',
      `Container=${'a'.repeat(64)}`,
      'Result=success',
      '',
    ].join('\n')
    expect(parseLastExit(text)).toEqual({
      exitCode: 143,
      oomKilled: false,
      reason: 'stopped',
      result: 'success',
      message: '',
      finishedAt: '2026-01-02T10:05:00.25Z',
    })
  })

  it.each<{ name: string; text: string; read: Partial<ReturnType<typeof parseLastExit>> }>([
    { name: 'empty', text: '', read: {} },
    { name: 'no line end', text: 'ExitCode=1', read: { exitCode: 1 } },
    {
      name: 'a message that an image slipped an escape into',
      text: 'Message=user a\u001b]0;b\u0007\u009b1m',
      read: { message: 'user a?]0;b??1m' },
    },
    { name: 'a message with equals signs', text: 'Message=a=b=c', read: { message: 'a=b=c' } },
    { name: 'unknown keys and lines that are none', text: 'Colour=red\nnonsense\n=\nOOMKilled=true\n', read: { oomKilled: true } },
    { name: 'an exit code that is no number', text: 'ExitCode=', read: {} },
    { name: 'an exit code that is too long', text: 'ExitCode=1000000', read: {} },
    { name: 'a negative exit code', text: 'ExitCode=-1', read: {} },
    { name: 'no finish', text: 'FinishedAt=', read: {} },
  ])('$name', ({ text, read }) => {
    expect(parseLastExit(text)).toEqual({ ...nothing, ...read })
  })
})

describe('the run folder', () => {
  const engineId = 'ab'.repeat(32)

  function setUp() {
    const host = fakeHost()
    return { host, paths: containerPaths(host.paths, 'shop' as ContainerId) }
  }

  it('has nothing before the first start', async () => {
    const { host, paths } = setUp()
    expect(await readRunState(host, paths)).toEqual({ containerId: undefined, lastExit: undefined })
  })

  it('has the id of the container', async () => {
    const { host, paths } = setUp()
    host.files.put(`${paths.run}/container-id`, `${engineId}\n`)
    expect(await readRunState(host, paths)).toEqual({ containerId: engineId, lastExit: undefined })
  })

  it.each(['', 'abc', `${engineId}00`, engineId.toUpperCase(), '../../../etc/passwd'])('takes %j for no id', async text => {
    const { host, paths } = setUp()
    host.files.put(`${paths.run}/container-id`, text)
    expect((await readRunState(host, paths)).containerId).toBeUndefined()
  })

  it.each([
    ['         0          0 4294967295\n', undefined],
    ['         0 2147483647      65536\n', '2147483647-2147549182'],
    ['         0 2147483647       1000\n      1000 2147600000      64536\n', '2147483647-2147484646,2147600000-2147664535'],
    ['', undefined],
  ])('reads %j of a process as the numbers %s', async (map, numbers) => {
    const { host, paths } = setUp()
    host.files.put(`${paths.run}/pid`, '77\n')
    host.files.put('/proc/77/uid_map', map)
    expect(await readUserNumbers(host, paths)).toBe(numbers)
  })

  it('has whether its quota is enforced, in words that a terminal can be shown', async () => {
    const { host, paths } = setUp()
    expect(await readQuota(host, paths)).toBeUndefined()
    host.files.put(`${paths.run}/quota`, 'not enforced: \u001b[2J\n')
    expect(await readQuota(host, paths)).toBe('not enforced: ?[2J')
  })
})
