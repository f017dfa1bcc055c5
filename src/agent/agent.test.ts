import { mkdtempSync, rmSync } from 'node:fs'
import { get, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contract, GearError, type Handlers, type RequestId } from '../api/index.ts'
import { request as clientRequest } from '../client/index.ts'
import { makeHandlers, prepareHost } from '../domains/index.ts'
import { type FakeHost, fakeHost } from '../host/fakes.ts'
import { type Agent, type AgentOptions, startAgent } from './agent.ts'
import { loadConfig } from './config.ts'
import { fakeLog } from './fake-agent.ts'
import { lockedHandlers } from './local.ts'
import { takeWriterLock } from './writer-lock.ts'

let folder: string
let host: FakeHost
const { log, lines } = fakeLog()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gear-agent-'))
  host = fakeHost()
  lines.length = 0
})

afterEach(() => rmSync(folder, { recursive: true }))

function start(more: Partial<AgentOptions> = {}): Promise<Agent> {
  const flags = { listen: [], socketPath: join(folder, 'gear.sock') }
  const { config } = loadConfig({ flags, environment: { GEARD_CONFIG: undefined } })
  return startAgent({ config, host, log, version: '1.2.3', makeHandlers, prepareHost, environment: {}, ...more })
}

function ask(path: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = get({ socketPath: join(folder, 'gear.sock'), path, agent: false }, async answer => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve({ status: answer.statusCode, text })
    })
    sent.on('error', reject)
  })
}

test('an agent makes the host ready, serves, and gives the writer lock back', async () => {
  const agent = await start()
  expect(await host.files.exists('/var/lib/containers/units')).toBe(true)
  expect(JSON.parse((await ask('/version')).text)).toEqual({ Version: '1.2.3', Api: '1', Engine: 'docker' })
  expect((await ask('/containers')).text).toBe('{"Containers":[]}\n')
  await expect(takeWriterLock(host)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
  await agent.stop('SIGTERM')
  await agent.ended
  await using lock = await takeWriterLock(host)
  expect(lock.path).toBe('/var/lib/containers/gear.lock')
  expect(lines.map(({ message }) => message).filter(message => message !== 'request answered')).toEqual([
    'no such group, the socket is for root only',
    'listening',
    'stopping',
    'stopped',
  ])
})

test('a second agent does not start, and the first does not notice', async () => {
  const agent = await start()
  await expect(start()).rejects.toMatchObject({ code: 'WRITER_BUSY' })
  expect((await ask('/version')).status).toBe(200)
  await agent.stop('test')
})

test('an agent that cannot make the host ready leaves nothing open', async () => {
  const broken = { prepareHost: () => Promise.reject(new Error('read-only file system')) }
  await expect(start(broken)).rejects.toThrow('read-only file system')
  await (await start()).stop('test')
})

test('the OpenAPI document is served as it is', async () => {
  const agent = await start()
  const document = JSON.parse((await ask('/openapi.json')).text)
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  const served = Object.values<Record<string, unknown>>(document.paths).flatMap(methods => Object.keys(methods))
  expect(served).toHaveLength(Object.keys(contract).length)
  await agent.stop('test')
})

test('what an earlier agent left is taken up, and whoever sends it again is attached to it', async () => {
  const requestId = 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId
  const begun: unknown[] = []
  async function* events(): AsyncGenerator<{ event: 'log' | 'deployed'; message: string }> {
    yield { event: 'log', message: 'half way' }
    await gate.promise
    yield { event: 'deployed', message: 'done' }
  }
  const gate = Promise.withResolvers<void>()
  const agent = await start({
    makeHandlers: (machine, facts) => ({
      ...makeHandlers(machine, facts),
      deployRepository: async ({ params, caller }) => {
        begun.push([params.id, caller.isRoot])
        return events()
      },
    }),
    undone: async () => [{ requestId, request: clientRequest('deployRepository', { params: { id: 'shop-src' } }) }],
  })
  const again = new Promise<string>(resolve => {
    const headers = { 'X-Request-Id': requestId }
    const path = '/repository/shop-src/deploy'
    request({ socketPath: join(folder, 'gear.sock'), method: 'POST', path, headers, agent: false }, async answer => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve(text)
    }).end()
  })
  gate.resolve()
  expect(await again).toBe('{"Event":"log","Message":"half way"}\n{"Event":"deployed","Message":"done"}\n')
  expect(begun).toEqual([['shop-src', true]])
  await agent.stop('test')
})

test('what cannot be taken up is told, and the agent serves', async () => {
  const agent = await start({
    makeHandlers: (machine, facts) => ({
      ...makeHandlers(machine, facts),
      deployRepository: () => Promise.reject(new GearError('REPOSITORY_UNKNOWN', 'There is no repository shop-src on this host')),
    }),
    undone: async () => [
      {
        requestId: 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId,
        request: clientRequest('deployRepository', { params: { id: 'shop-src' } }),
      },
    ],
  })
  expect((await ask('/version')).status).toBe(200)
  expect(lines.map(({ message }) => message)).toContain('could not take up what an earlier agent left')
  await agent.stop('test')
})

test('a change that runs is waited for when the agent stops, but not for ever', async () => {
  const gate = Promise.withResolvers<never>()
  const agent = await start({
    makeHandlers: (machine, facts) => ({ ...makeHandlers(machine, { ...facts }), purgeContainers: () => gate.promise }),
  })
  const purge = new Promise(resolve => {
    request({ socketPath: join(folder, 'gear.sock'), method: 'DELETE', path: '/containers', agent: false })
      .on('error', resolve)
      .end()
  })
  while (agent.runningCount === 0) await new Promise(resolve => setImmediate(resolve))
  let isStopped = false
  const stopped = agent.stop('SIGTERM').then(() => {
    isStopped = true
  })
  await host.clock.advance(9_000)
  expect(isStopped).toBe(false)
  await host.clock.advance(2_000)
  await stopped
  await purge
})

test('an idle agent that systemd did not start stays', async () => {
  const flags = { listen: [], socketPath: join(folder, 'gear.sock'), idleExitMinutes: 1 }
  const { config } = loadConfig({ flags, environment: {} })
  const agent = await start({ config })
  await host.clock.advance(120_000)
  expect((await ask('/version')).status).toBe(200)
  expect(lines.map(({ message }) => message)).toContain('not started by gear.socket, so the agent stays')
  await agent.stop('test')
})

test('without an agent, reports need no lock, and the first change takes it', async () => {
  const prepared: string[] = []
  const real = makeHandlers(host, { version: '1', openApi: () => ({}) })
  const handlers: Handlers = { ...real, purgeContainers: async () => undefined, listContainers: async () => ({ containers: [] }) }
  const call = {
    params: {},
    query: { all: false },
    body: undefined,
    wants: 'text',
    caller: { isRoot: true },
    requestId: 'Qm9vbS1ub3QtcmVhbC1pZA',
    signal: new AbortController().signal,
  } as never
  {
    await using local = lockedHandlers(handlers, host, async () => void prepared.push('prepared'))
    await local.handlers.listContainers(call)
    await using other = await takeWriterLock(host)
    await expect(local.handlers.purgeContainers(call)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
    expect(other.path).toContain('gear.lock')
  }
  expect(prepared).toEqual([])
  {
    await using local = lockedHandlers(handlers, host, async () => void prepared.push('prepared'))
    await local.handlers.purgeContainers(call)
    await local.handlers.purgeContainers(call)
    await expect(takeWriterLock(host)).rejects.toMatchObject({ code: 'WRITER_BUSY' })
  }
  expect(prepared).toEqual(['prepared'])
  await (await takeWriterLock(host))[Symbol.asyncDispose]()
})
