import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type RequestId } from '../api/index.ts'
import type { Client } from './client.ts'
import { localClient, withFallback } from './local-client.ts'
import { request } from './request.ts'

const freshId = () => 'request-1' as RequestId

function clientOf(handlers: Partial<Handlers>, closed: string[] = []): Client {
  const dispose = async () => void closed.push('closed')
  return localClient({ handlers: handlers as Handlers, [Symbol.asyncDispose]: dispose }, freshId)
}

describe('localClient', () => {
  it('gives handlers what an agent would, as root of this machine', async () => {
    const calls: unknown[] = []
    const client = clientOf({
      stopContainer: async call => {
        calls.push({ ...call, signal: undefined })
        return { text: 'is stopping\n', sideData: {} }
      },
    })
    await client.call(request('stopContainer', { params: { id: 'web-1' }, body: { wait: true } }))
    expect(calls).toEqual([
      {
        params: { id: 'web-1' },
        query: {},
        body: { wait: true },
        wants: 'text',
        mediaTypes: [],
        caller: { isRoot: true },
        requestId: 'request-1',
      },
    ])
  })

  it('gives every kind of result the form it has over the wire', async () => {
    async function* events() {
      yield { event: 'reached' as const, message: 'runs' }
    }
    const client = clientOf({
      deleteContainer: async () => undefined,
      listContainers: async () => ({ containers: [] }),
      waitContainer: async () => events(),
      startContainer: async () => ({ text: 'is starting\n', sideData: { PortMapping: '80:4000' } }),
    })
    expect(await client.call(request('deleteContainer', { params: { id: 'web-1' } }))).toMatchObject({ hasText: false })
    expect(await client.call(request('listContainers', {}))).toEqual({ containers: [] })
    const started = await client.call(request('startContainer', { params: { id: 'web-1' } }))
    expect(started).toMatchObject({ hasText: true, sideData: { PortMapping: '80:4000' } })
    for await (const text of started.text) expect(text).toBe('is starting\n')
    for await (const event of await client.call(request('waitContainer', { params: { id: 'web-1' } }))) expect(event.message).toBe('runs')
  })
})

describe('withFallback', () => {
  const list = request('listContainers', {})
  const absent = new GearError('HOST_UNREACHABLE', 'nobody there')
  const away = clientOf({ listContainers: () => Promise.reject(absent) })
  const here = () => clientOf({ listContainers: async () => ({ containers: [] }) })

  it('turns to the second once, when nobody is at the end of the first', async () => {
    let openings = 0
    const open = async () => {
      openings++
      return here()
    }
    const client = withFallback({ first: away, isAbsent: error => error === absent, open })
    await client.call(list)
    expect(await client.call(list)).toEqual({ containers: [] })
    expect(openings).toBe(1)
  })

  it('stays with the first when it fails in another way', async () => {
    const client = withFallback({ first: away, isAbsent: () => false, open: async () => here() })
    await expect(client.call(list)).rejects.toBe(absent)
  })

  it('gives back what the second holds', async () => {
    const closed: string[] = []
    const client = withFallback({
      first: away,
      isAbsent: () => true,
      open: async () => clientOf({ listContainers: async () => ({ containers: [] }) }, closed),
    })
    await client.call(list)
    await client.close()
    expect(closed).toEqual(['closed'])
  })

  it('goes back to the first when that has come up meanwhile and is the one who works now', async () => {
    const up = { isUp: false }
    const first = clientOf({ listContainers: async () => (up.isUp ? { containers: [] } : Promise.reject(absent)) })
    const closed: string[] = []
    const busy = clientOf({ listContainers: () => Promise.reject(new GearError('WRITER_BUSY', 'busy')) }, closed)
    const client = withFallback({ first, isAbsent: error => error === absent, open: async () => busy })
    await expect(client.call(list)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
    up.isUp = true
    expect(await client.call(list)).toEqual({ containers: [] })
    expect(closed).toEqual(['closed'])
  })

  it('says why the second cannot be used, to every call', async () => {
    const client = withFallback({ first: away, isAbsent: () => true, open: () => Promise.reject(new GearError('WRITER_BUSY', 'busy')) })
    await expect(client.call(list)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
    await expect(client.call(list)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
    await client.close()
  })
})
