import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { codeOfFailure } from '../suites.ts'
import { dockerEngine } from './docker.ts'
import { engineSuite } from './engine.suite.ts'
import { FakeEngine } from './fake.ts'

describe('the fake engine', () => {
  engineSuite(async () => {
    const engine = new FakeEngine()
    const { id } = engine.addImage(['localhost/suite:latest'])
    engine.addImage([])
    return {
      engine,
      image: 'localhost/suite:latest',
      makeContainer: async (name, options) => void engine.addContainer(name, { ...options, imageId: id }),
    }
  })

  test('one that is away makes every call fail', async () => {
    const engine = new FakeEngine()
    engine.isAway = true
    expect(await codeOfFailure(engine.ping())).toBe('ENGINE_UNAVAILABLE')
    expect(await codeOfFailure(engine.container('web-1'))).toBe('ENGINE_UNAVAILABLE')
  })
})

describe('the client of an engine', () => {
  const cleanUps: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  async function listen(answer: RequestListener): Promise<{ socketPath: string; server: Server }> {
    const base = await mkdtemp(join(tmpdir(), 'gear-engine-'))
    const server = createServer(answer)
    await new Promise<void>(resolve => server.listen(join(base, 'socket'), resolve))
    cleanUps.push(
      () => rm(base, { recursive: true }),
      () => new Promise(resolve => server.close(resolve).closeAllConnections()),
    )
    return { socketPath: join(base, 'socket'), server }
  }

  test('says that nothing listens', async () => {
    await expect(dockerEngine({ socketPath: '/nonexistent/engine' }).ping()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('/nonexistent/engine'),
    })
  })

  test('gives up on an engine that does not answer', async () => {
    const { socketPath } = await listen(() => {})
    expect(await codeOfFailure(dockerEngine({ socketPath, callMs: 20 }).ping())).toBe('ENGINE_UNAVAILABLE')
  })

  test('gives up on an engine that begins to answer and does not end', async () => {
    const { socketPath } = await listen((_, response) => void response.write('{'))
    expect(await codeOfFailure(dockerEngine({ socketPath, callMs: 20 }).image('web'))).toBe('ENGINE_UNAVAILABLE')
  })

  test('gives up on an engine that hangs in the middle of a copy', async () => {
    const stat = Buffer.from(JSON.stringify({ name: 'x', mode: 0o644, linkTarget: '' })).toString('base64')
    const { socketPath } = await listen((request, response) => {
      response.setHeader('x-docker-container-path-stat', stat)
      if (request.method === 'HEAD') response.end()
      else response.write('the beginning')
    })
    const pieces = (await dockerEngine({ socketPath, idleMs: 20 }).readFiles('web-1', '/x'))?.[Symbol.asyncIterator]()
    expect(String((await pieces?.next())?.value)).toBe('the beginning')
    expect(await codeOfFailure(pieces?.next() ?? Promise.resolve())).toBe('ENGINE_UNAVAILABLE')
  })

  test('quotes what the engine said when it failed', async () => {
    const { socketPath } = await listen((_, response) => void response.writeHead(500).end('{"message":"no space left"}'))
    await expect(dockerEngine({ socketPath }).container('web-1')).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'Could not read container web-1',
      cause: { message: 'no space left' },
    })
  })

  test('does not take what is no answer of an engine', async () => {
    const { socketPath } = await listen((_, response) => void response.end('<html>'))
    expect(await codeOfFailure(dockerEngine({ socketPath }).container('web-1'))).toBe('ENGINE_FAILED')
    expect(await codeOfFailure(dockerEngine({ socketPath }).images())).toBe('ENGINE_FAILED')
  })

  test('uses one connection for calls one after another', async () => {
    let connections = 0
    const { socketPath, server } = await listen((_, response) => void response.end('OK'))
    server.on('connection', () => connections++)
    const engine = dockerEngine({ socketPath })
    for (let i = 0; i < 5; i++) await engine.ping()
    expect(connections).toBe(1)
  })

  test('asks again when the engine closed a kept connection as it was used', async () => {
    let asked = 0
    const { socketPath } = await listen((request, response) => {
      if (++asked === 2) request.socket.destroy()
      else response.end('OK')
    })
    const engine = dockerEngine({ socketPath })
    await engine.ping()
    await engine.ping()
    expect(asked).toBe(3)
  })

  test('keeps a name within its part of the path', async () => {
    const paths: (string | undefined)[] = []
    const { socketPath } = await listen((request, response) => {
      paths.push(request.url)
      response.writeHead(404).end()
    })
    await dockerEngine({ socketPath }).container('../images/x?all=1')
    expect(paths).toEqual(['/containers/..%2Fimages%2Fx%3Fall%3D1/json'])
  })
})
