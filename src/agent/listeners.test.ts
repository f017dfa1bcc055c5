import { chmodSync, existsSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createConnection, createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FakeHost, fakeHost } from '../host/fakes.ts'
import { exchange, fakeLog, readAnswer, withMissing } from './fake-agent.ts'
import { isSameAddress, type ListenerOptions, type Listeners, openListeners, parseListenUrl } from './listeners.ts'
import { Lanes } from './queue.ts'
import { Requests } from './requests.ts'
import type { Value } from './route.ts'
import { makeApp } from './serve.ts'

let folder: string
let host: FakeHost
let open: Listeners[]
let requests: Requests<Value>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gear-listeners-'))
  host = fakeHost()
  host.files.put('/etc/group', 'root:x:0:\n')
  host.files.put('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n')
  open = []
  requests = new Requests()
})

afterEach(async () => {
  await Promise.all(open.map(listeners => listeners.close(0)))
  rmSync(folder, { recursive: true })
})

async function listen(more: Partial<ListenerOptions> & { readonly on?: readonly string[] } = {}): Promise<Listeners> {
  const { on = [], ...options } = more
  const { log } = fakeLog()
  const handlers = withMissing({
    getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }),
    containerLog: async () => ({ text: endless() }),
  })
  const app = makeApp({ requests, handlers, log, clock: host.clock, lanes: new Lanes() })
  const urls = on.map(parseListenUrl).filter(url => url !== undefined)
  const listeners = await openListeners({
    app,
    host,
    log,
    urls,
    socketPath: '',
    tokenFile: undefined,
    isInsecure: false,
    hostNames: [],
    environment: {},
    ...options,
  })
  open.push(listeners)
  return listeners
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield 'x'
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Status and code of GET /version. The fake network is told first who will be calling. */
function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/version`, { headers, agent: false }, answer => {
      answer.resume()
      resolve(`${answer.statusCode} ${answer.headers['x-error-code'] ?? 'ok'}`)
    })
    request.on('error', reject)
  })
}

/** All connections come from this user. */
function callsAre(uid: number | undefined): void {
  host.network.ownerOfConnection = async () => uid
}

function tokenFile(mode = 0o600, text = 'a-token-of-20-letters\n'): string {
  const path = join(folder, 'token')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('a loopback listener', () => {
  test('serves root, and nobody that is not in the group', async () => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    callsAre(0)
    expect(await ask(url)).toBe('200 ok')
    callsAre(1000)
    expect(await ask(url)).toBe('403 CALLER_REFUSED')
    callsAre(undefined)
    expect(await ask(url)).toBe('403 CALLER_REFUSED')
  })

  test('looks the caller up once per connection', async () => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    let lookups = 0
    host.network.ownerOfConnection = async () => {
      lookups += 1
      return 0
    }
    expect(await ask(url)).toBe('200 ok')
    expect(lookups).toBe(1)
  })

  test("does nothing for a caller that left while it was looked up: its port may be another user's by then", async () => {
    const listeners = await listen({ on: ['http://127.0.0.1:0'] })
    const { hostname, port } = new URL(listeners.addresses[0] ?? '')
    const lookup = Promise.withResolvers<number>()
    let lookups = 0
    host.network.ownerOfConnection = () => (lookups++ === 0 ? lookup.promise : Promise.resolve(undefined))
    const opened = vi.spyOn(requests, 'open')
    const connection = createConnection({ host: hostname, port: Number(port) })
    connection.write('GET /container/abcd/log HTTP/1.1\r\nHost: localhost\r\n\r\n')
    while (listeners.openConnections === 0) await new Promise(resolve => setImmediate(resolve))
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    connection.destroy()
    while (listeners.openConnections > 0) await new Promise(resolve => setImmediate(resolve))
    lookup.resolve(0)
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(opened).not.toHaveBeenCalled()
  })

  describe('to a caller that closes its side after asking', () => {
    async function ask(path: string) {
      const listeners = await listen({ on: ['http://127.0.0.1:0'] })
      const { hostname, port } = new URL(listeners.addresses[0] ?? '')
      const connection = createConnection({ host: hostname, port: Number(port), allowHalfOpen: true })
      connection.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      return { listeners, connection }
    }

    test('gives its answer', async () => {
      const lookup = Promise.withResolvers<number>()
      const again = Promise.withResolvers<void>()
      let lookups = 0
      host.network.ownerOfConnection = () => {
        if (++lookups === 2) again.resolve()
        return lookup.promise
      }
      const { connection } = await ask('/version')
      await again.promise
      lookup.resolve(0)
      expect((await readAnswer(connection)).status).toBe('HTTP/1.1 200 OK')
    })

    test('gives none when it is gone, and ends what was begun', async () => {
      let lookups = 0
      host.network.ownerOfConnection = async () => (++lookups === 1 ? 0 : undefined)
      const { listeners, connection } = await ask('/container/abcd/log')
      connection.on('error', () => undefined).resume()
      while (lookups < 2 || listeners.openConnections > 0) await new Promise(resolve => setImmediate(resolve))
      while (requests.runningCount > 0) await new Promise(resolve => setImmediate(resolve))
    })
  })

  test.each([
    ['FOO /version HTTP/1.1\r\nHost: localhost\r\n\r\n', '405 Method Not Allowed', '"Error": "There is no such method"'],
    ['CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', '405 Method Not Allowed', '"Error": "There is no such method"'],
    ['GET /version HTTP/1.1\nHost: localhost\n\n', '400 Bad Request', 'The request is not one of HTTP/1.1: '],
    ['\u0016\u0003\u0001 not HTTP at all', '400 Bad Request', 'The request is not one of HTTP/1.1: '],
    [
      `GET /version HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'The header must have at most 16384 bytes',
    ],
  ])('says why it does not take %j', async (bytes, status, text) => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    callsAre(0)
    const { hostname, port } = new URL(url)
    const connection = createConnection({ host: hostname, port: Number(port) })
    connection.write(bytes)
    const answer = await readAnswer(connection)
    expect([answer.status, String(answer.body)]).toEqual([`HTTP/1.1 ${status}`, expect.stringContaining(text)])
  })

  test('says so after another answer of the same connection, too', async () => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    callsAre(0)
    const { hostname, port } = new URL(url)
    const connection = createConnection({ host: hostname, port: Number(port) })
    connection.write('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    for await (const piece of connection) {
      const isFirst = text === ''
      text += String(piece)
      if (isFirst) connection.write('FOO /version HTTP/1.1\r\n\r\n')
    }
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 405'])
  })

  test('keeps few connections of users who may not call, so that they do not keep out those who may', async () => {
    const listeners = await listen({ on: ['http://127.0.0.1:0'] })
    const { hostname, port } = new URL(listeners.addresses[0] ?? '')
    callsAre(1000)
    const strangers = Array.from({ length: 150 }, () => createConnection({ host: hostname, port: Number(port) }))
    const closed = strangers.map(socket => new Promise(resolve => socket.on('error', resolve).on('close', resolve).resume()))
    await Promise.race(closed)
    while (listeners.openConnections !== 100) await new Promise(resolve => setImmediate(resolve))
    for (const socket of strangers) socket.destroy()
    await Promise.all(closed)
    while (listeners.openConnections > 0) await new Promise(resolve => setImmediate(resolve))
    expect(await ask(listeners.addresses[0] ?? '')).toBe('403 CALLER_REFUSED')
    callsAre(0)
    expect(await ask(listeners.addresses[0] ?? '')).toBe('200 ok')
  })

  test('refuses two names at once, of which it and a proxy could each believe another', async () => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    callsAre(0)
    const { hostname, port } = new URL(url)
    const twice = createConnection({ host: hostname, port: Number(port) })
    twice.write('GET /version HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n\r\n')
    expect((await readAnswer(twice)).status).toMatch(/40[03]/)
    twice.destroy()
  })

  test('refuses pages and foreign names even for root', async () => {
    const [url = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
    callsAre(0)
    expect(await ask(url, { Origin: 'http://127.0.0.1' })).toBe('403 BROWSER_REFUSED')
    expect(await ask(url, { 'Sec-Fetch-Site': 'same-site' })).toBe('403 BROWSER_REFUSED')
    expect(await ask(url, { Host: 'rebound.example:43273' })).toBe('403 BROWSER_REFUSED')
    expect(await ask(url, { Host: 'localhost:43273' })).toBe('200 ok')
  })
})

describe('a listener that other hosts reach', () => {
  test('is not opened without a token or --insecure-http', async () => {
    await expect(listen({ on: ['http://0.0.0.0:0'] })).rejects.toThrow('0.0.0.0 can be reached from other hosts')
  })

  test('with a token serves whoever has it, under any name', async () => {
    const [url = ''] = (await listen({ on: ['http://0.0.0.0:0'], tokenFile: tokenFile() })).addresses
    const at = url.replace('0.0.0.0', '127.0.0.1')
    expect(await ask(at)).toBe('401 TOKEN_REQUIRED')
    expect(await ask(at, { Authorization: 'Bearer another-token-of-20' })).toBe('401 TOKEN_REQUIRED')
    expect(await ask(at, { Authorization: 'Bearer a-token-of-20-letters', Host: 'gear.example' })).toBe('200 ok')
    expect(await ask(at, { Authorization: 'Bearer a-token-of-20-letters', Origin: 'http://x' })).toBe('403 BROWSER_REFUSED')
  })

  test('with --insecure-http serves everybody, but under its own names only', async () => {
    host.files.put('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${hostname()}.example.com ${hostname()}\n`)
    const listeners = await listen({ on: ['http://0.0.0.0:0'], isInsecure: true, hostNames: ['gear.example'] })
    const at = listeners.addresses[0]?.replace('0.0.0.0', '127.0.0.1') ?? ''
    expect(await ask(at)).toBe('200 ok')
    expect(await ask(at, { Host: 'gear.example:43273' })).toBe('200 ok')
    expect(await ask(at, { Host: `${hostname()}.example.com` })).toBe('200 ok')
    expect(await ask(at, { Host: 'rebound.example' })).toBe('403 BROWSER_REFUSED')
  })

  test.each([
    [0o644, 'a-token-of-20-letters', 'may be read by others'],
    [0o600, 'short', 'must hold one token'],
    [0o600, 'two tokens in one file', 'must hold one token'],
  ])('is not opened with a token file of mode %o that holds %j', async (mode, text, why) => {
    await expect(listen({ on: ['http://0.0.0.0:0'], tokenFile: tokenFile(mode, text) })).rejects.toThrow(why)
  })

  test('is not opened with a token file that is not there', async () => {
    await expect(listen({ tokenFile: '/no/such/token' })).rejects.toThrow('The token file /no/such/token cannot be read')
  })
})

describe('the Unix socket', () => {
  const request = 'GET /version HTTP/1.1\r\nHost: gear.example\r\n\r\n'

  test('is for its group only, and gone afterwards', async () => {
    const socketPath = join(folder, 'deep/gear.sock')
    const listeners = await listen({ socketPath })
    expect(statSync(socketPath).mode & 0o777).toBe(0o660)
    expect((await exchange(socketPath, request)).status).toBe('HTTP/1.1 200 OK')
    await listeners.close(0)
    expect(existsSync(socketPath)).toBe(false)
  })

  test('does not care about Host, but about pages', async () => {
    const socketPath = join(folder, 'gear.sock')
    await listen({ socketPath })
    expect((await exchange(socketPath, request)).status).toBe('HTTP/1.1 200 OK')
    expect((await exchange(socketPath, 'GET /version HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n')).status).toBe(
      'HTTP/1.1 403 Forbidden',
    )
  })

  test('takes the place of one that a crash left behind', async () => {
    const socketPath = join(folder, 'gear.sock')
    const stale = createServer()
    await new Promise<void>(resolve => stale.listen({ path: join(folder, 'other.sock') }, resolve))
    // A socket file without a listener: the name is kept while its server closes and removes the other one.
    linkSync(join(folder, 'other.sock'), socketPath)
    await new Promise(resolve => stale.close(resolve))
    await listen({ socketPath })
    expect((await exchange(socketPath, request)).status).toBe('HTTP/1.1 200 OK')
  })

  test('does not take the place of one that answers, or of a file', async () => {
    const socketPath = join(folder, 'gear.sock')
    await listen({ socketPath })
    await expect(listen({ socketPath })).rejects.toThrow(`Another program listens on ${socketPath}`)
    const path = join(folder, 'file')
    writeFileSync(path, 'precious')
    await expect(listen({ socketPath: path })).rejects.toThrow('is there and is not a socket')
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })
})

test('several URLs are served', async () => {
  callsAre(0)
  const { addresses } = await listen({ on: ['http://127.0.0.1:0', 'http://localhost:0'] })
  expect(addresses).toHaveLength(2)
  for (const url of addresses) expect(await ask(url)).toBe('200 ok')
})

test('when one cannot be opened, none stays open', async () => {
  const [taken = ''] = (await listen({ on: ['http://127.0.0.1:0'] })).addresses
  const socketPath = join(folder, 'gear.sock')
  await expect(listen({ socketPath, on: [taken] })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `Could not listen on ${taken}`,
  })
  expect(existsSync(socketPath)).toBe(false)
})

test('one connection more than the bound is refused, the others are served', async () => {
  callsAre(0)
  const listeners = await listen({ on: ['http://127.0.0.1:0'], connectionsMax: 2 })
  const url = new URL(listeners.addresses[0] ?? '')
  const held = [1, 2].map(() => createConnection({ host: url.hostname, port: Number(url.port) }))
  while (listeners.openConnections < 2) await new Promise(resolve => setImmediate(resolve))
  await expect(ask(url.origin)).rejects.toThrow()
  for (const socket of held) socket.destroy()
  while (listeners.openConnections > 0) await new Promise(resolve => setImmediate(resolve))
  expect(await ask(url.origin)).toBe('200 ok')
})

test.each([
  ['http://127.0.0.1:43273', '127.0.0.1', 43273, true],
  ['http://127.0.0.1:43273', '127.0.0.1', 43274, false],
  ['http://127.0.0.1:43273', '10.1.2.3', 43273, false],
  ['http://127.0.0.1:43273', '::ffff:127.0.0.1', 43273, true],
  ['http://localhost:43273', '127.0.0.1', 43273, true],
  ['http://localhost:43273', '::1', 43273, true],
  ['http://localhost:43273', '10.1.2.3', 43273, false],
  ['http://10.1.2.3:43273', '127.0.0.1', 43273, false],
])('%s is opened unless systemd passes it: %s port %i is the same: %s', (url, address, port, isSame) => {
  const wanted = parseListenUrl(url) ?? expect.fail(`${url} is no URL to listen on`)
  expect(isSameAddress({ address, port, family: 'IPv4' }, wanted)).toBe(isSame)
  expect(isSameAddress(undefined, wanted)).toBe(false)
})

test('sockets of systemd that are meant for another process are left alone', async () => {
  const listeners = await listen({ environment: { LISTEN_PID: '1', LISTEN_FDS: '1' } })
  expect(listeners.isActivated).toBe(false)
})

test('idle is the time since the last connection ended', async () => {
  callsAre(0)
  const listeners = await listen({ on: ['http://127.0.0.1:0'] })
  await host.clock.advance(1_000)
  for (const ms of [86_400_000, -86_400_000]) {
    host.clock.jump(ms)
    expect(listeners.idleMs, `after the clock was set by ${ms} ms`).toBe(1_000)
  }
  await ask(listeners.addresses[0] ?? '')
  while (listeners.openConnections > 0) await new Promise(resolve => setImmediate(resolve))
  expect(listeners.idleMs).toBe(0)
})
