/**
 * Where the agent can be called: its Unix socket, loopback and other TCP addresses, and sockets that systemd holds for it. Each listener
 * knows how it tells its callers apart; one that could not is not opened.
 */
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createConnection, type ListenOptions, Socket } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server'
import { asGearError, type Caller, dryRunExpectation, dryRunParameter, GearError, limits, type RequestId } from '../api/index.ts'
import { defaultAgentPort, newRequestId } from '../formats/index.ts'
import type { Host } from '../host/index.ts'
import { errorAnswer } from './answer.ts'
import {
  type Admission,
  groupEntry,
  groupName,
  hostRefusal,
  isLoopback,
  namesOfHost,
  pageRefusal,
  plainAddress,
  remote,
  Token,
  trusted,
} from './callers.ts'
import { type Log, logMistake } from './log.ts'
import { Peers } from './peers.ts'
import type { App } from './serve.ts'
import { asksForSession, type Sessions } from './sessions.ts'
import { parseTarget } from './target.ts'
import { connectMethod, refusalOf, requestMs, type Unread } from './unreadable.ts'

/** Most time for the header of a request, and between two requests of a connection. */
const headerMs = 10_000
const idleConnectionMs = 30_000

/** Shorter ones could be guessed. */
const tokenCharactersMin = 16

export interface ListenUrl {
  readonly url: string
  readonly host: string
  readonly port: number
}

/** `http://HOST[:PORT]` and nothing else, as the original has it (spec §2.5); `localhost:43273` is no URL. */
export function parseListenUrl(url: string): ListenUrl | undefined {
  const match = /^http:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/.exec(url)
  const [, host, portText] = match ?? []
  const port = portText === undefined ? defaultAgentPort : Number(portText)
  return host === undefined || port > 65_535 ? undefined : { url, host: host.replace(/^\[(.*)\]$/, '$1'), port }
}

export interface ListenerOptions {
  readonly app: App
  /** Without them an upgrade is passed over. */
  readonly sessions?: Sessions
  readonly host: Pick<Host, 'files' | 'network' | 'clock'>
  readonly log: Log
  readonly urls: readonly ListenUrl[]
  /** None when empty. */
  readonly socketPath: string
  readonly tokenFile: string | undefined
  readonly isInsecure: boolean
  /** Names of this host besides its own that requests to open listeners may be for. */
  readonly hostNames: readonly string[]
  /** Open connections on one listener. */
  readonly connectionsMax?: number
  /** Where systemd says which sockets it passes. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Opens all listeners, or none. Refusals to start are `GearError`s that say what to change. */
export async function openListeners(options: ListenerOptions): Promise<Listeners> {
  const listeners = new Listeners(options)
  try {
    await listeners.open()
  } catch (error) {
    await listeners.close(0)
    throw error
  }
  return listeners
}

/** A server and how it knows its callers, which for sockets that systemd passes is known only once it listens. */
interface Listener {
  readonly server: Server
  admission: Admission | undefined
}

export class Listeners {
  readonly #options: ListenerOptions
  readonly #peers: Peers
  readonly #token: Token | undefined
  #ownNames: ReadonlySet<string> = new Set()
  readonly #servers: Server[] = []
  /** How many answers are under way on a connection. */
  readonly #answering = new WeakMap<Duplex, number>()
  #isActivated = false
  #connections = 0
  #lastActiveMs: number

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#peers = new Peers(options.host)
    this.#token = options.tokenFile === undefined ? undefined : new Token(readToken(options.tokenFile))
    this.#lastActiveMs = options.host.clock.elapsedMs()
  }

  /**
   * Sockets that systemd passes take the place of those that would be opened for the same address. The Unix socket comes last: who waits for
   * it to answer knows that all the others do.
   */
  async open(): Promise<void> {
    const { urls, socketPath, hostNames, host, environment = process.env } = this.#options
    const hostsFile = (await host.files.read('/etc/hosts')) ?? ''
    this.#ownNames = ownNames([...namesOfHost(hostname(), hostsFile), ...hostNames, ...urls.map(url => url.host)])
    const passed: (AddressInfo | undefined)[] = []
    for (const fd of passedSockets(environment)) passed.push(await this.#openPassed(fd))
    this.#isActivated = passed.length > 0
    for (const url of urls) if (!passed.some(address => isSameAddress(address, url))) await this.#openUrl(url)
    if (socketPath !== '' && !passed.includes(undefined)) await this.#openSocket(socketPath)
  }

  /** Where clients reach it, for the log and for tests that asked for any port. */
  get addresses(): readonly string[] {
    return this.#servers.map(server => addressText(server.address()))
  }

  /** systemd holds the sockets, so that a next request starts the agent again. */
  get isActivated(): boolean {
    return this.#isActivated
  }

  get openConnections(): number {
    return this.#connections
  }

  /** How long nobody was connected. */
  get idleMs(): number {
    return this.#connections > 0 ? 0 : this.#options.host.clock.elapsedMs() - this.#lastActiveMs
  }

  /** Takes no more connections, lets the requests that run end for a time, then ends them. */
  async close(graceMs: number): Promise<void> {
    const enough = new AbortController()
    const closed = Promise.all(this.#servers.map(server => new Promise<void>(resolve => server.close(() => resolve()))))
    const cut = this.#options.host.clock.sleep(graceMs, enough.signal).then(
      () => this.#servers.forEach(server => void server.closeAllConnections()),
      () => undefined,
    )
    await closed
    enough.abort()
    await cut
  }

  /** Ends connections on which no request is under way. */
  closeIdle(): void {
    for (const server of this.#servers) server.closeIdleConnections()
  }

  /** A socket from systemd; answers its address, or undefined for a Unix socket. */
  async #openPassed(fd: number): Promise<AddressInfo | undefined> {
    const listener = this.#makeListener(undefined)
    await listen(listener.server, { fd }, `socket ${fd} of systemd`)
    const address = listener.server.address()
    const isTcp = typeof address === 'object' && address !== null
    setAdmission(listener, isTcp ? this.#admissionOf(address.address) : 'socket')
    return isTcp ? address : undefined
  }

  async #openUrl({ host, port, url }: ListenUrl): Promise<void> {
    const { server, admission } = this.#makeListener(this.#admissionOf(host))
    await listen(server, { host, port }, url)
    const address = server.address()
    if (admission === 'peer' && typeof address === 'object' && address !== null && !isLoopback(address.address)) {
      throw new GearError('CONFIG_INVALID', `${url} can be reached from other hosts: ${host} stands for ${address.address}`)
    }
  }

  /** The socket file is made without any permission, and gets its group and mode before anybody could connect. */
  async #openSocket(path: string): Promise<void> {
    const gid = groupEntry((await this.#options.host.files.read('/etc/group')) ?? '')?.gid
    if (gid === undefined) this.#options.log.warn({ socket: path, group: groupName }, 'no such group, the socket is for root only')
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    await removeStale(path)
    const { server } = this.#makeListener('socket')
    const mask = process.umask(0o777)
    const opened = listen(server, { path }, path)
    process.umask(mask)
    await opened
    chownSync(path, process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0)
    chmodSync(path, 0o660)
  }

  #admissionOf(host: string): Admission {
    if (isLoopback(host)) return 'peer'
    if (this.#token !== undefined) return 'token'
    if (this.#options.isInsecure) return 'open'
    throw new GearError(
      'CONFIG_INVALID',
      `${host} can be reached from other hosts, and who calls is as good as root: give --token-file FILE, or --insecure-http where the network is trusted`,
    )
  }

  #makeListener(admission: Admission | undefined): Listener {
    const { app, log, sessions, connectionsMax = limits.connectionsMax } = this.#options
    const serve = getRequestListener(
      async (request, bindings) => {
        const { incoming, outgoing } = bindings as HttpBindings
        const caller = await this.#callerOf(incoming, listener)
        return app.fetch(request, { incoming, outgoing, caller })
      },
      { hostname: 'gear', errorHandler: error => this.#unreadable(error) },
    )
    const shouldUpgradeCallback = (incoming: IncomingMessage): boolean => sessions !== undefined && asksForSession(incoming)
    const server = createServer({ ...serverOptions, shouldUpgradeCallback }, (incoming, outgoing) => {
      this.#countAnswer(incoming.socket, outgoing)
      void serve(incoming, outgoing)
    })
    server.on('upgrade', async (incoming, stream, head) => {
      const socket = stream as Socket
      const caller = await this.#callerOf(incoming, listener).catch(asGearError)
      await sessions?.serve({ incoming, socket, head, caller })
    })
    server.on('clientError', (error: Unread, stream) => this.#refuse(error, stream))
    server.on('connect', (_, stream) => this.#refuse(connectMethod, stream))
    // Whoever expects a dry run is not to be answered by an agent that knows none; to every other expectation Node's own answer is 417.
    server.on('checkExpectation', (incoming, outgoing) => {
      const isDryRun = incoming.headers.expect === dryRunExpectation && parseTarget(incoming.url ?? '').query[dryRunParameter] !== undefined
      if (isDryRun) void serve(incoming, outgoing)
      else outgoing.writeHead(417).end()
    })
    const listener: Listener = { server, admission: undefined }
    setAdmission(listener, admission)
    server.maxConnections = connectionsMax
    server.on('drop', () => log.warn({ connectionsMax }, 'connection refused, too many are open'))
    server.on('connection', socket => this.#welcome(socket, listener))
    this.#servers.push(server)
    return listener
  }

  #welcome(socket: Socket, { admission }: Listener): void {
    this.#connections += 1
    // Requests that came at once on one connection wait for its end, each by itself; Node would take more than ten for a leak.
    socket.setMaxListeners(0)
    socket.once('close', () => {
      this.#connections -= 1
      this.#lastActiveMs = this.#options.host.clock.elapsedMs()
    })
    if (admission === 'peer') this.#peers.welcome(socket)
  }

  async #callerOf(incoming: IncomingMessage, { admission }: Listener): Promise<Caller | GearError> {
    const { headers, socket } = incoming
    const page = pageRefusal(headers)
    if (page !== undefined) return page
    if (admission === 'socket') return trusted
    if (admission === 'token') return this.#token?.refusal(headers) ?? remote
    const { authority } = parseTarget(incoming.url ?? '')
    const refusal = hostRefusal({ headers, authority, localAddress: socket.localAddress, ownNames: this.#ownNames })
    if (refusal !== undefined) return refusal
    return admission === 'open' ? remote : this.#peers.callerOn(socket)
  }

  #countAnswer(socket: Socket, outgoing: ServerResponse): void {
    const add = (count: number): unknown => this.#answering.set(socket, (this.#answering.get(socket) ?? 0) + count)
    add(1)
    outgoing.once('close', () => void add(-1))
  }

  /** Says why a connection is closed on which no request was; where an answer is under way, closes it. */
  #refuse(unread: Unread, stream: Duplex): void {
    const isSilent = !stream.writable || !(stream instanceof Socket) || (this.#answering.get(stream) ?? 0) > 0
    if (isSilent) stream.destroy()
    else stream.end(refusalOf(unread), () => stream.destroy())
  }

  /** The adapter could not make a request of what came, which is the caller's doing, or something threw, which is ours. */
  #unreadable(error: unknown): Response {
    const requestId = newRequestId(this.#options.host.clock.randomBytes(16)) as RequestId
    if (error instanceof RequestError)
      return errorAnswer(new GearError('INPUT_INVALID', 'The request target is not one of HTTP'), requestId)
    logMistake(this.#options.log, { request: requestId }, error)
    return errorAnswer(asGearError(error), requestId)
  }
}

/**
 * Node hangs up on callers that close their side after asking, as ncat and socat do, unless told not to, by a property that is in none of its
 * types. Only on loopback can it be seen whether such a caller is still there.
 */
function setAdmission(listener: Listener, admission: Admission | undefined): void {
  listener.admission = admission
  Object.assign(listener.server, { httpAllowHalfOpen: admission === 'peer' })
}

const serverOptions = {
  // A second Host or Origin then shows; Node would drop it.
  joinDuplicateHeaders: true,
  maxHeaderSize: limits.headerBytes,
  headersTimeout: headerMs,
  requestTimeout: requestMs,
  keepAliveTimeout: idleConnectionMs,
  // A caller that dies after it has closed its side shows by this alone.
  keepAlive: true,
  keepAliveInitialDelay: idleConnectionMs,
  connectionsCheckingInterval: headerMs / 2,
} as const

function listen(server: Server, where: ListenOptions | { readonly fd: number }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: unknown): void => reject(new GearError('CONFIG_INVALID', `Could not listen on ${name}`, { cause }))
    server.once('error', onError)
    server.listen(where, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

/** Descriptors from 3 on, when they are meant for this process (sd_listen_fds(3)). */
function passedSockets(environment: Readonly<Record<string, string | undefined>>): readonly number[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = environment
  if (pid !== String(process.pid) || count === undefined || !/^\d{1,3}$/.test(count)) return []
  return Array.from({ length: Number(count) }, (_, index) => 3 + index)
}

/** Whether a socket that systemd passes is the one that would be opened for a URL. */
export function isSameAddress(address: AddressInfo | undefined, { host, port }: ListenUrl): boolean {
  if (address === undefined || address.port !== port) return false
  return plainAddress(address.address) === plainAddress(host) || (host === 'localhost' && isLoopback(address.address))
}

function addressText(address: ReturnType<Server['address']>): string {
  if (address === null) return 'unix socket of systemd'
  if (typeof address === 'string') return address
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

function ownNames(names: readonly string[]): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address))
  return new Set([...addresses, ...names].map(plainAddress))
}

/** Throws unless the file is for its owner's eyes only and holds something that is hard to guess. */
function readToken(path: string): string {
  const refuse = (rule: string, cause?: unknown): GearError => new GearError('CONFIG_INVALID', `The token file ${path} ${rule}`, { cause })
  try {
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) throw refuse('may be read by others than its owner: chmod 600 it')
    const token = readFileSync(path, 'utf8').trim()
    if (token.length < tokenCharactersMin || /\s/.test(token)) {
      throw refuse(`must hold one token of at least ${tokenCharactersMin} characters`)
    }
    return token
  } catch (error) {
    throw error instanceof GearError ? error : refuse('cannot be read', error)
  }
}

/** A socket file that a crash left behind goes; one that somebody answers on stays. */
async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) return
  const isAnswered = await new Promise<boolean>(resolve => {
    const socket = createConnection({ path })
    const settle = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
  if (isAnswered) throw new GearError('CONFIG_INVALID', `Another program listens on ${path}`)
  if (!lstatSync(path).isSocket()) throw new GearError('CONFIG_INVALID', `${path} is there and is not a socket`)
  unlinkSync(path)
}
