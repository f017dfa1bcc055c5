/**
 * The way out for tools that connect by themselves, on behalf of callers who may not reach this host: a proxy on loopback (SOCKS 5, RFC 1928) and,
 * for tools that know no proxy, a port for one address. Every connection is looked up and checked here, so redirects, submodules and names
 * that change meanwhile lead nowhere else. It is there for as long as the tool runs; whoever else finds it gets no further than by himself.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { isGuardedAddress } from './addresses.ts'
import { type Guard, GuardedAddress, guardedLookup, withoutBrackets } from './guard.ts'

export interface GuardedWay extends AsyncDisposable {
  /** `socks5h://127.0.0.1:PORT`; names are looked up here. */
  readonly proxyUrl: string
  /** The number of a port on 127.0.0.1 that leads to one port of one host, and nowhere else. */
  forward(host: string, port: number): Promise<number>
  /** Why a connection came to nothing: it was refused here or, when none was, it could not be made. */
  readonly failure: string | undefined
}

/** A tool that begins to speak and does not go on is let go. */
const greetingMs = 30_000
/** Far more than an opening has. A client that sends on before it was answered may be ahead by as much as one reading takes. */
const openingBytesMax = 131_072
const version = 5
const noAuthentication = 0
const commandConnect = 1
const kinds = { ipv4: 1, name: 3, ipv6: 4 } as const
/** What is answered (RFC 1928 §6). The address in the answer means nothing to those who only connect. */
const replies = { done: 0, refused: 2, unreachable: 4, unsupported: 7 } as const

export async function openGuardedWay(isGuarded: Guard = isGuardedAddress): Promise<GuardedWay> {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  let failure: string | undefined
  let isRefused = false
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // what becomes of it is seen where it is used
    socket.on('error', () => undefined)
    return socket
  }
  const reach = async (host: string, port: number): Promise<Socket | undefined> => {
    try {
      const lookup = guardedLookup(host, isGuarded)
      const socket = keep(connect({ host: withoutBrackets(host), port, lookup, allowHalfOpen: true }))
      await once(socket, 'connect')
      return socket
    } catch (error) {
      const isRefusal = error instanceof GuardedAddress
      // what becomes of other connections explains less
      if (isRefusal || !isRefused) failure = messageOf(error)
      isRefused ||= isRefusal
      if (isRefusal) return undefined
      throw error
    }
  }
  const listen = async (serve: (client: Socket) => Promise<void>): Promise<number> => {
    const server = createServer({ allowHalfOpen: true }, client => {
      keep(client)
      serve(client).catch(() => client.destroy())
    })
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const proxyPort = await listen(client => serveProxy(client, reach))
  return {
    proxyUrl: `socks5h://127.0.0.1:${proxyPort}`,
    forward: (host, port) =>
      listen(async client => {
        const target = await reach(host, port).catch(() => undefined)
        if (target !== undefined) return join(client, target)
        // in order: a tool that is cut off while it speaks is killed by that, and says nothing of it
        client.resume().end()
      }),
    get failure() {
      return failure
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map(server => new Promise<void>(resolve => server.close(() => resolve()))))
    },
  }
}

async function serveProxy(client: Socket, reach: (host: string, port: number) => Promise<Socket | undefined>): Promise<void> {
  client.setTimeout(greetingMs, () => client.destroy())
  const opening = new Opening(client)
  const [, methods = 0] = await opening.take(2)
  await opening.take(methods)
  client.write(Uint8Array.of(version, noAuthentication))
  const [, command, , kind] = await opening.take(4)
  const host = await takeHost(opening, kind)
  const port = (await opening.take(2)).readUInt16BE()
  const rest = opening.end()
  client.setTimeout(0)
  if (host === undefined || command !== commandConnect) return void client.end(reply(replies.unsupported))
  const target = await reach(host, port).catch(() => 'unreachable' as const)
  if (target === undefined || target === 'unreachable') {
    client.end(reply(target === undefined ? replies.refused : replies.unreachable))
    return
  }
  client.write(reply(replies.done))
  if (rest.length > 0) target.write(rest)
  await join(client, target)
}

async function takeHost(opening: Opening, kind: number | undefined): Promise<string | undefined> {
  if (kind === kinds.ipv4) return (await opening.take(4)).join('.')
  if (kind === kinds.name) return (await opening.take((await opening.take(1)).readUInt8())).toString('latin1')
  if (kind !== kinds.ipv6) return undefined
  const bytes = await opening.take(16)
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')
}

function reply(code: number): Uint8Array {
  return Uint8Array.of(version, code, 0, kinds.ipv4, 0, 0, 0, 0, 0, 0)
}

/** What a client says first, in pieces of known size. */
class Opening {
  readonly #client: Socket
  #bytes = Buffer.alloc(0)
  #isOver = false
  #more = Promise.withResolvers<void>()

  constructor(client: Socket) {
    this.#client = client
    client.on('data', this.#add)
    client.on('end', this.#stop)
    client.on('close', this.#stop)
  }

  async take(sizeBytes: number): Promise<Buffer> {
    while (this.#bytes.length < sizeBytes) {
      if (this.#isOver) throw new Error('it went away')
      await this.#more.promise
    }
    const taken = this.#bytes.subarray(0, sizeBytes)
    this.#bytes = this.#bytes.subarray(sizeBytes)
    return taken
  }

  /** What has come behind it. */
  end(): Buffer {
    this.#client.off('data', this.#add)
    this.#client.off('end', this.#stop)
    this.#client.off('close', this.#stop)
    this.#client.pause()
    return this.#bytes
  }

  readonly #add = (bytes: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (this.#bytes.length > openingBytesMax) this.#client.destroy()
    this.#wake()
  }

  readonly #stop = (): void => {
    this.#isOver = true
    this.#wake()
  }

  #wake(): void {
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }
}

/** Each side may end before the other. */
async function join(client: Socket, target: Socket): Promise<void> {
  try {
    await Promise.all([pipeline(client, target), pipeline(target, client)])
  } finally {
    target.destroy()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
