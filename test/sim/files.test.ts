/** Copies into and out of a container, from the request to the engine. */
import { describe, expect, it } from 'vitest'
import { type BytesResult, type ContainerId, containerUnit, limits, type Session } from '../../src/api/index.ts'
import { readTar } from '../../src/formats/index.ts'
import { agentOn, newHost } from './machine.ts'

async function running() {
  const host = await newHost()
  const agent = agentOn(host)
  await agent.install('shop')
  host.engine.addContainer('shop', { labels: { 'gear.id': 'shop' } })
  const params = { id: 'shop' }
  return {
    host,
    agent,
    kind: (path: string) => agent.call('getFileKind', { params, query: { path } }),
    read: (path: string, signal?: AbortSignal) =>
      agent.call('readFiles', { params, query: { path } }, signal === undefined ? {} : { signal }) as Promise<BytesResult>,
    write: (folder: string) => agent.call('writeFiles', { params, body: { Folder: folder } }) as Promise<Session>,
  }
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

async function endOf(session: Session): Promise<unknown> {
  for await (const output of session.output) return output
  return undefined
}

describe('a copy', () => {
  it('comes out of the container as a tar, and goes in as one', async () => {
    const { host, kind, read, write } = await running()
    host.engine.files.set('/note', 'hello')
    expect(await kind('/note')).toEqual({ kind: 'file' })
    const { bytes, mediaType } = await read('/note')
    expect(mediaType).toBe('application/x-tar')
    const tar = await bytesOf(bytes)
    host.engine.files.set('/srv', undefined)
    const session = await write('/srv')
    const end = endOf(session)
    for (let at = 0; at < tar.length; at += 700) await session.write({ kind: 'input', bytes: tar.subarray(at, at + 700) })
    await session.write({ kind: 'end' })
    expect(await end).toEqual({ kind: 'exit', exitCode: 0 })
    expect(host.engine.files.get('/srv/note')).toBe('hello')
    for await (const { name } of readTar((await read('/srv')).bytes)) expect(name).toMatch(/^srv/)
  })

  it('tells what is not there', async () => {
    const { host, kind, read, write } = await running()
    host.engine.files.set('/note', 'hello')
    await expect(kind('/none')).rejects.toMatchObject({ code: 'FILE_UNKNOWN' })
    await expect(read('/none')).rejects.toMatchObject({ code: 'FILE_UNKNOWN' })
    for (const folder of ['/none', '/note']) {
      const session = await write(folder)
      await expect(endOf(session)).rejects.toMatchObject({ code: 'FILE_UNKNOWN' })
      await session.write({ kind: 'input', bytes: Buffer.alloc(10) })
    }
  })

  it('is of a container of gear that runs', async () => {
    const { host, read, write } = await running()
    for (const given of [{ isRunning: false, labels: { 'gear.id': 'shop' } }, { labels: {} }]) {
      host.engine.addContainer('shop', given)
      await expect(read('/')).rejects.toMatchObject({ code: 'CONTAINER_NOT_RUNNING' })
      await expect(write('/')).rejects.toMatchObject({ code: 'CONTAINER_NOT_RUNNING' })
    }
  })

  it('is of a container of a unit of the original, too', async () => {
    const { host, kind } = await running()
    const unit = '/var/lib/containers/units/sh/ctr-shop.service'
    host.files.put(unit, '[Service]\nExecStart=/usr/bin/docker run --rm --name "shop" "acme/shop"\n[Install]\nX-ContainerId=shop\n')
    host.engine.addContainer('shop', { labels: {} })
    host.engine.files.set('/note', 'hello')
    expect(await kind('/note')).toEqual({ kind: 'file' })
    host.engine.addContainer('shop', { labels: { 'gear.id': 'another' } })
    await expect(kind('/note')).rejects.toMatchObject({ code: 'CONTAINER_NOT_RUNNING' })
  })

  it('ends when its caller gives or takes nothing for too long', async () => {
    const { host, read, write } = await running()
    host.engine.files.set('/note', 'x'.repeat(10_000))
    const pieces = (await read('/')).bytes[Symbol.asyncIterator]()
    await pieces.next()
    await host.clock.advance(limits.copyIdleMs - 1)
    await pieces.next()
    await host.clock.advance(limits.copyIdleMs)
    await expect(pieces.next()).rejects.toMatchObject({ code: 'COPY_STALLED' })
    const session = await write('/')
    const end = endOf(session)
    const isEnded = expect(end).rejects.toMatchObject({ code: 'COPY_STALLED' })
    await session.write({ kind: 'input', bytes: Buffer.alloc(10) })
    await host.clock.advance(limits.copyIdleMs)
    await isEnded
    expect(host.clock.sleeping).toBe(0)
  })

  it('ends when its caller leaves', async () => {
    const { read, write } = await running()
    const abort = new AbortController()
    const { bytes } = await read('/', abort.signal)
    abort.abort(new Error('gone'))
    await expect(bytesOf(bytes)).rejects.toThrow('gone')
    const session = await write('/')
    const end = endOf(session)
    session.close()
    await expect(end).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  })
  it.each(['stopped', 'deleted'])('ends when its container is %s, with the reason', async how => {
    const { host, agent, read, write } = await running()
    const unit = containerUnit('shop' as ContainerId)
    await agent.call('startContainer', { params: { id: 'shop' } })
    host.engine.files.set('/note', 'x'.repeat(10_000))
    const pieces = (await read('/')).bytes[Symbol.asyncIterator]()
    await pieces.next()
    const session = await write('/')
    const end = endOf(session)
    const isEnded = expect(end).rejects.toMatchObject({ code: 'CONTAINER_NOT_RUNNING' })
    await session.write({ kind: 'input', bytes: Buffer.alloc(10) })
    if (how === 'deleted') await agent.call('deleteContainer', { params: { id: 'shop' } })
    else await host.units.queueStop(unit, 'replace')
    await isEnded
    await expect(pieces.next()).rejects.toMatchObject({ code: 'CONTAINER_NOT_RUNNING', message: expect.stringContaining('ended the copy') })
    expect(host.clock.sleeping).toBe(0)
  })
})
