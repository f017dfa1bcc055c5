import dns from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isOwnOrLocal } from './guard.ts'
import { type GuardedWay, openGuardedWay } from './guarded-way.ts'

type LookupAll = (error: null, addresses: readonly { readonly address: string; readonly family: number }[]) => void

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server that answers what it is sent in capitals, once the other side has said all. */
async function shouting(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    let said = ''
    socket.on('data', bytes => {
      said += bytes
    })
    socket.on('end', () => socket.end(said.toUpperCase()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** 127.0.0.2 stands for what must not be reached; it is as much of this host as the other. */
async function way(): Promise<GuardedWay> {
  const opened = await openGuardedWay(address => address === '127.0.0.2')
  closing.push(() => opened[Symbol.asyncDispose]())
  return opened
}

async function client(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.on('error', () => undefined)
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function all(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

const greeting = [5, 1, 0]
const port16 = (port: number) => [port >> 8, port & 0xff]
const ipv4 = (address: string, port: number) => [5, 1, 0, 1, ...address.split('.').map(Number), ...port16(port)]
const named = (name: string, port: number) => [5, 1, 0, 3, name.length, ...Buffer.from(name), ...port16(port)]

async function ask(proxyUrl: string, request: readonly number[], text = ''): Promise<Buffer> {
  const socket = await client(Number(new URL(proxyUrl).port))
  socket.end(Buffer.concat([Buffer.from(greeting), Buffer.from(request), Buffer.from(text)]))
  return all(socket)
}

describe('the proxy of a guarded way', () => {
  test.each([
    ['an address', (port: number) => ipv4('127.0.0.1', port)],
    ['a name', (port: number) => named('localhost', port)],
  ])('leads to %s, and each side may end before the other', async (_, request) => {
    const answer = await ask((await way()).proxyUrl, request(await shouting()), 'hello')
    expect([...answer.subarray(0, 4)]).toEqual([5, 0, 5, 0])
    expect(answer.subarray(12).toString()).toBe('HELLO')
  })

  test('does not lead to what is guarded, written as an address', async () => {
    const opened = await way()
    const answer = await ask(opened.proxyUrl, ipv4('127.0.0.2', await shouting()), 'hello')
    expect([...answer.subarray(0, 4)]).toEqual([5, 0, 5, 2])
    expect(opened.failure).toBe('127.0.0.2 is an address of this host or of its local network')
  })

  test('does not lead to a name that stands for what is guarded', async () => {
    const opened = await openGuardedWay(address => address === '127.0.0.1' || address === '::1')
    closing.push(() => opened[Symbol.asyncDispose]())
    const answer = await ask(opened.proxyUrl, named('localhost', await shouting()), 'hello')
    expect([...answer.subarray(0, 4)]).toEqual([5, 0, 5, 2])
    // what comes after it explains less
    await ask(opened.proxyUrl, ipv4('127.0.0.3', 1))
    expect(opened.failure).toMatch(/^localhost is (127\.0\.0\.1|::1), an address of this host/)
  })

  test('does not lead to where a name has moved since it was looked at', async () => {
    const [opened, port] = [await way(), await shouting()]
    const addresses = ['127.0.0.1', '127.0.0.2']
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, callback: LookupAll) => {
      callback(null, [{ address: addresses.shift() ?? '', family: 4 }])
    }) as typeof dns.lookup)
    closing.push(() => lookup.mockRestore())
    const isGuarded = (address: string) => address === '127.0.0.2'
    expect(await isOwnOrLocal('moving.example', isGuarded)).toBe(false)
    const answer = await ask(opened.proxyUrl, named('moving.example', port), 'hello')
    expect(answer[3]).toBe(2)
    expect(opened.failure).toBe('moving.example is 127.0.0.2, an address of this host or of its local network')
    expect(addresses).toEqual([])
  })

  test('takes no other command, and lets go who says nothing that it understands', async () => {
    const { proxyUrl } = await way()
    const bind = ipv4('127.0.0.1', 1).with(1, 2)
    expect([...(await ask(proxyUrl, bind))]).toEqual([5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0])
    const socket = await client(Number(new URL(proxyUrl).port))
    socket.end('GET')
    expect([...(await all(socket).catch(() => Buffer.alloc(0)))]).toEqual([])
  })

  test('tells nothing of a connection that was made and broke off later', async () => {
    const server = createServer(socket => socket.once('data', () => socket.resetAndDestroy()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const opened = await way()
    await ask(opened.proxyUrl, ipv4('127.0.0.1', (server.address() as AddressInfo).port), 'hello').catch(() => undefined)
    expect(opened.failure).toBeUndefined()
  })

  test('says so when nothing listens', async () => {
    const opened = await way()
    const answer = await ask(opened.proxyUrl, ipv4('127.0.0.1', 1))
    expect(answer[3]).toBe(4)
    expect(opened.failure).toContain('ECONNREFUSED')
  })

  test('is gone with all its connections when it is closed', async () => {
    const opened = await openGuardedWay(() => false)
    const socket = await client(Number(new URL(opened.proxyUrl).port))
    const ended = all(socket)
    await opened[Symbol.asyncDispose]()
    expect((await ended).length).toBe(0)
  })
})

describe('a port of a guarded way', () => {
  test('leads to the one address it is for', async () => {
    const socket = await client(await (await way()).forward('localhost', await shouting()))
    socket.end('hello')
    expect((await all(socket)).toString()).toBe('HELLO')
  })

  test('leads nowhere when that is guarded', async () => {
    const opened = await way()
    const socket = await client(await opened.forward('127.0.0.2', await shouting()))
    socket.end('hello')
    expect((await all(socket).catch(() => Buffer.alloc(0))).length).toBe(0)
    expect(opened.failure).toContain('127.0.0.2')
  })
})
