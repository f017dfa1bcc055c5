import { describe, expect, it } from 'vitest'
import { GearError } from '../api/index.ts'
import { type LineWriter, type RunOptions, runOnHosts } from './many.ts'
import { ConnectionError } from './transport.ts'

type Run = RunOptions<string, string>['run']

interface Options {
  readonly order?: 'hosts' | 'time'
  readonly prefixOf?: (host: string) => string
  readonly signal?: AbortSignal
}

async function runAll(groups: Readonly<Record<string, readonly string[]>>, run: Run, options: Options = {}) {
  let printed = ''
  const outcomes = await runOnHosts<string, string>(
    Object.entries(groups).map(([host, jobs]) => ({ host, jobs })),
    {
      run,
      write: async text => {
        printed += text
      },
      prefixOf: host => `${host} `,
      order: 'hosts',
      signal: new AbortController().signal,
      ...options,
    },
  )
  return { printed, outcomes: outcomes.map(({ host, job, isDone }) => `${host}/${job} ${isDone ? 'done' : 'failed'}`) }
}

async function say(lines: LineWriter, ...pieces: readonly string[]): Promise<string> {
  for (const piece of pieces) await lines.write(piece)
  return ''
}

describe('runOnHosts', () => {
  it('works on hosts beside each other, and prints in their order all the same', async () => {
    const slow = Promise.withResolvers<void>()
    const { printed, outcomes } = await runAll({ a: ['1'], b: ['2'] }, async (job, host, lines) => {
      if (host === 'a') await slow.promise
      else slow.resolve()
      return say(lines, `did ${job}\n`)
    })
    expect(printed).toBe('a did 1\nb did 2\n')
    expect(outcomes).toEqual(['a/1 done', 'b/2 done'])
  })

  it('works through the jobs of one host in their order', async () => {
    const seen: string[] = []
    await runAll({ a: ['1', '2', '3'] }, async job => {
      seen.push(`begin ${job}`)
      await Promise.resolve()
      seen.push(`end ${job}`)
      return ''
    })
    expect(seen).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
  })

  it('prints lines as they come where they are watched', async () => {
    const later = Promise.withResolvers<void>()
    const { printed } = await runAll(
      { a: ['1'], b: ['2'] },
      async (_, host, lines) => {
        if (host === 'a') await later.promise
        await say(lines, 'line\n')
        later.resolve()
        return ''
      },
      { order: 'time' },
    )
    expect(printed).toBe('b line\na line\n')
  })

  it('prefixes every line, puts lines together from pieces, and ends one that has no end', async () => {
    const { printed } = await runAll({ a: ['1', '2'] }, (job, _, lines) => say(lines, `o${job}`, 'ne\ntwo\nthr', 'ee'))
    expect(printed).toBe('a o1ne\na two\na three\na o2ne\na two\na three\n')
  })

  it('breaks a line that has no end rather than keep all of it', async () => {
    const { printed } = await runAll({ a: ['1'] }, (_, __, lines) => say(lines, 'x'.repeat(70_000), 'y'), { prefixOf: () => '' })
    expect(printed).toBe(`${'x'.repeat(70_000)}\ny\n`)
  })

  it('makes a later host wait when it has much to say before its turn', async () => {
    const first = Promise.withResolvers<void>()
    const seen: string[] = []
    const running = runAll({ a: ['1'], b: ['2'] }, async (_, host, lines) => {
      if (host === 'a') await first.promise
      else await say(lines, `${'x'.repeat(1_100_000)}\n`)
      seen.push(host)
      return ''
    })
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    expect(seen).toEqual([])
    first.resolve()
    await running
    expect(seen).toEqual(['a', 'b'])
  })

  it('tries the next job after one that failed', async () => {
    const { outcomes } = await runAll({ a: ['1', '2'] }, job => (job === '1' ? Promise.reject(new Error('no')) : Promise.resolve('')))
    expect(outcomes).toEqual(['a/1 failed', 'a/2 done'])
  })

  it('does not wait again for a host that could not be reached', async () => {
    const tried: string[] = []
    const { outcomes } = await runAll({ a: ['1', '2'], b: ['3'] }, async (job, host) => {
      tried.push(job)
      if (host === 'a') throw new GearError('HOST_UNREACHABLE', 'away', { cause: new ConnectionError('connect', 'refused') })
      return ''
    })
    expect(tried).toEqual(['1', '3'])
    expect(outcomes).toEqual(['a/1 failed', 'a/2 failed', 'b/3 done'])
  })

  it('does not try the other jobs of a host that refuses the token', async () => {
    const tried: string[] = []
    const { outcomes } = await runAll({ a: ['1', '2'], b: ['3'] }, async (job, host) => {
      tried.push(job)
      if (host === 'a') throw new GearError('TOKEN_REQUIRED', 'refused')
      return ''
    })
    expect(tried).toEqual(['1', '3'])
    expect(outcomes).toEqual(['a/1 failed', 'a/2 failed', 'b/3 done'])
  })

  it('begins nothing after the signal', async () => {
    const stop = new AbortController()
    const tried: string[] = []
    const { outcomes } = await runAll(
      { a: ['1', '2'] },
      async job => {
        tried.push(job)
        stop.abort(new Error('enough'))
        throw stop.signal.reason
      },
      { signal: stop.signal },
    )
    expect(tried).toEqual(['1'])
    expect(outcomes).toEqual(['a/1 failed', 'a/2 failed'])
  })

  it('talks to 32 hosts at once', async () => {
    let running = 0
    let most = 0
    const hosts = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`h${index}`, ['job']]))
    await runAll(hosts, async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setImmediate(resolve))
      running--
      return ''
    })
    expect(most).toBe(32)
  })
})
