/** The network of a real host. */
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, test } from 'vitest'
import { diskFiles } from '../../../src/host/files/disk.ts'
import { linuxNetwork } from '../../../src/host/network/linux.ts'
import { networkSuite } from '../../../src/host/network/network.suite.ts'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

async function listen(address: string, onConnection: (socket: Socket) => void = () => {}): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  await new Promise<void>(resolve => server.listen(0, address, resolve))
  cleanUps.push(() => server.close())
  return (server.address() as AddressInfo).port
}

async function serve(answer: RequestListener, address = '127.0.0.1'): Promise<string> {
  const server = createHttpServer(answer)
  await new Promise<void>(resolve => server.listen(0, address, resolve))
  cleanUps.push(() => server.close().closeAllConnections())
  return `http://${address}:${(server.address() as AddressInfo).port}/page`
}

/** The tables must not be needed where the kernel can be asked, nor asking it where it cannot. */
const noFiles = { read: () => Promise.reject(new Error('a table was read')) }

describe.each([
  { way: 'asking the kernel', network: linuxNetwork(noFiles) },
  { way: 'reading its tables', network: linuxNetwork(diskFiles(), { diagnose: () => 'unknown' }) },
])('the network of Linux, $way', ({ network }) => {
  networkSuite(async () => ({
    network,
    listen: address => listen(address),
    connect: async ({ listener, to, closed = 'nothing' }) => {
      const accepted = Promise.withResolvers<Socket>()
      const client = connect(await listen(listener, accepted.resolve), to)
      const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = await accepted.promise
      cleanUps.push(
        () => client.destroy(),
        () => void accepted.promise.then(socket => socket.destroy()),
      )
      if (closed === 'sending') await new Promise<void>(resolve => client.end(resolve))
      if (closed === 'all') client.destroy()
      if (closed !== 'nothing') await once((await accepted.promise).resume(), 'end')
      return { connection: { localAddress, localPort, remoteAddress, remotePort }, uid: process.getuid?.() ?? -1 }
    },
    serve: text => serve((request, response) => void (request.url === '/page' ? response.end(text) : response.writeHead(404).end())),
  }))
})

describe('posting', () => {
  test('sends the text as JSON', async () => {
    const seen = Promise.withResolvers<readonly unknown[]>()
    const page = await serve(async (request, response) => {
      let body = ''
      for await (const bytes of request) body += String(bytes)
      seen.resolve([request.method, request.headers['content-type'], body])
      response.writeHead(202).end()
    })
    expect(await linuxNetwork(diskFiles()).postJson(page, '{"ü":1}', { timeoutMs: 5000, mayReachHost: true })).toBe(202)
    expect(await seen.promise).toEqual(['POST', 'application/json', '{"ü":1}'])
  })

  test('to nobody, and to who does not answer, is told', async () => {
    const network = linuxNetwork(diskFiles())
    const silent = await serve(() => {})
    const code = { code: 'CALLBACK_FAILED' }
    await expect(network.postJson('http://127.0.0.1:1/', '{}', { timeoutMs: 5000, mayReachHost: true })).rejects.toMatchObject(code)
    await expect(network.postJson(silent, '{}', { timeoutMs: 100, mayReachHost: true })).rejects.toMatchObject(code)
  })
})

describe('fetching', () => {
  const options = { maxBytes: 100, timeoutMs: 5000, mayReachHost: true }
  const network = linuxNetwork(diskFiles())

  test('follows redirects, but not without end', async () => {
    const page = await serve((_, response) => void response.end('text'))
    const once = await serve((_, response) => void response.writeHead(302, { location: page }).end())
    const always = await serve((_, response) => void response.writeHead(301, { location: '/again' }).end())
    expect(await network.fetchText(once, options)).toBe('text')
    await expect(network.fetchText(always, options)).rejects.toMatchObject({ cause: { message: 'it redirects more than 5 times' } })
  })

  test('of a text that does not end in time fails, also when its length is not stated', async () => {
    const raw = await listen('127.0.0.1', socket => void socket.write('HTTP/1.1 200 OK\r\n\r\nA=half'))
    const url = `http://127.0.0.1:${raw}/page`
    await expect(network.fetchText(url, { ...options, timeoutMs: 200 })).rejects.toMatchObject({ code: 'ENVIRONMENT_FETCH_FAILED' })
  })

  test('checks where a redirect leads to', async () => {
    const guarded = linuxNetwork(diskFiles(), { isGuarded: address => address === '127.0.0.2' })
    const secret = await serve((_, response) => void response.end('secret'), '127.0.0.2')
    const trap = await serve((_, response) => void response.writeHead(307, { location: secret }).end())
    await expect(guarded.fetchText(trap, { ...options, mayReachHost: false })).rejects.toMatchObject({
      code: 'ENVIRONMENT_FETCH_FAILED',
      cause: { message: expect.stringContaining('127.0.0.2') },
    })
  })

  test("refuses the host's own addresses", async () => {
    const own = Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .find(address => !address.internal && address.family === 'IPv4')
    expect(own, 'the host has an address besides loopback').toBeDefined()
    await expect(network.fetchText(`http://${own?.address}/`, { ...options, mayReachHost: false })).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/address of this host/) },
    })
  })

  test('is bounded in time, from the first byte to the last', async () => {
    const silent = await serve(() => {})
    const slow = await serve((_, response) => void response.write('begun'))
    for (const url of [silent, slow]) {
      await expect(network.fetchText(url, { ...options, timeoutMs: 50 })).rejects.toMatchObject({
        cause: { message: 'it took longer than 50 ms' },
      })
    }
  })

  test('does not repeat credentials of the URL in its message', async () => {
    const url = new URL(await serve((_, response) => void response.writeHead(403).end()))
    url.username = 'me'
    url.password = 'secret'
    await expect(network.fetchText(`${url}?token=secret`, options)).rejects.toMatchObject({
      message: expect.not.stringContaining('secret'),
    })
  })
})
