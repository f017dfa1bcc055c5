import { describe, expect, test } from 'vitest'
import { GearError } from '../../api/index.ts'
import { type Client, request } from '../../client/index.ts'
import type { LocatorHost } from '../../formats/index.ts'
import { Hosts } from './hosts.ts'

const host: LocatorHost = { kind: 'remote', name: 'node7', port: undefined }
const ask = request('getVersion', {})
const fine = { version: '1', api: '1', engine: 'docker' }

const busy = new GearError('WRITER_BUSY', 'busy')
const taken = new GearError('NAME_TAKEN', 'taken')
const refused = new GearError('HOST_UNREACHABLE', 'refused', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
const away = new GearError('HOST_UNREACHABLE', 'away')

/** A host whose agent gives these answers one after the other, and how often it was asked and waited for. */
function hostThat(...answers: readonly (GearError | typeof fine)[]) {
  const seen = { calls: 0, pauses: 0 }
  const call = async () => {
    const answer = answers[seen.calls++] ?? fine
    if (answer instanceof GearError) throw answer
    return answer
  }
  const hosts = new Hosts({
    connect: () => ({ call, close: async () => undefined }) as unknown as Client,
    signal: new AbortController().signal,
    pause: async () => void seen.pauses++,
  })
  return { hosts, seen }
}

describe('a call', () => {
  test('is made again while the agent has not the lock yet', async () => {
    const { hosts, seen } = hostThat(busy, busy, fine)
    expect(await hosts.call(host, ask)).toEqual(fine)
    expect(seen).toEqual({ calls: 3, pauses: 2 })
  })

  test('is made again where an agent that has answered before is just not there', async () => {
    const { hosts, seen } = hostThat(fine, refused, fine)
    await hosts.call(host, ask)
    expect(await hosts.call(host, ask)).toEqual(fine)
    expect(seen).toEqual({ calls: 3, pauses: 1 })
  })

  test('is made once where no agent has answered yet', async () => {
    const { hosts, seen } = hostThat(refused)
    await expect(hosts.call(host, ask)).rejects.toBe(refused)
    expect(seen).toEqual({ calls: 1, pauses: 0 })
  })

  test('is made once where the agent says no', async () => {
    const { hosts, seen } = hostThat(fine, taken)
    await hosts.call(host, ask)
    await expect(hosts.call(host, ask)).rejects.toBe(taken)
    expect(seen).toEqual({ calls: 2, pauses: 0 })
    expect(hosts.lossOf(host)).toBeUndefined()
  })

  test('is given up after six times', async () => {
    const { hosts, seen } = hostThat(busy, busy, busy, busy, busy, busy)
    await expect(hosts.call(host, ask)).rejects.toBe(busy)
    expect(seen).toEqual({ calls: 6, pauses: 5 })
  })
})

describe('a host that does not answer', () => {
  test('is not asked again, and everything there fails for the same reason', async () => {
    const { hosts, seen } = hostThat(away)
    await expect(hosts.call(host, ask)).rejects.toBe(away)
    await expect(hosts.call({ ...host, port: 43273 }, ask)).rejects.toBe(away)
    expect(seen.calls).toBe(1)
  })

  test('is asked all the same where nothing is lost by it', async () => {
    const { hosts, seen } = hostThat(away, away, fine)
    await expect(hosts.call(host, ask, { isTolerant: true })).rejects.toBe(away)
    expect(hosts.lossOf(host)).toBeUndefined()
    await expect(hosts.call(host, ask)).rejects.toBe(away)
    expect(await hosts.call(host, ask, { isTolerant: true })).toEqual(fine)
    expect(seen.calls).toBe(3)
  })
})

test('work on one host is done in its order, and nothing of it is begun once the deploy ends', async () => {
  const stop = new AbortController()
  const hosts = new Hosts({ connect: () => expect.fail('nobody is called'), signal: stop.signal, pause: async () => undefined })
  const done: string[] = []
  const items = ['node7/a', 'node8/a', 'node7/b', 'node7/c']
  await hosts.each(
    items,
    item => ({ kind: 'remote', name: item.slice(0, 5), port: undefined }),
    async item => {
      done.push(item)
      if (item === 'node7/b') stop.abort()
    },
  )
  expect(done.filter(item => item.startsWith('node7'))).toEqual(['node7/a', 'node7/b'])
})
