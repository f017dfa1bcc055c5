/** Who is at the other end of each loopback connection: looked up once, as soon as it is there, and once more when that end is closed. */
import type { IncomingMessage } from 'node:http'
import { type Caller, GearError } from '../api/index.ts'
import type { Connection, Host } from '../host/index.ts'
import { Members, peerOf } from './callers.ts'

type Socket = IncomingMessage['socket']

/** Open connections of users who may not call, on all listeners; further ones are closed at once, so that they do not keep out those who may. */
const strangersMax = 100

export class Peers {
  readonly #host: Pick<Host, 'network'>
  readonly #members: Members
  readonly #found = new WeakMap<Socket, Promise<Caller | GearError>>()
  #strangers = 0

  constructor(host: Pick<Host, 'files' | 'network' | 'clock'>) {
    this.#host = host
    this.#members = new Members(host)
  }

  /** Begins to look. */
  welcome(socket: Socket): void {
    this.#found.set(socket, this.#look(socket))
    socket.once('end', () => void this.#lookAgain(socket))
  }

  /** What the last look has found. */
  async callerOn(socket: Socket): Promise<Caller | GearError> {
    for (let known = this.#found.get(socket); known !== undefined; ) {
      const caller = await known
      const latest = this.#found.get(socket)
      if (latest === known) return caller
      known = latest
    }
    return new GearError('CALLER_REFUSED', 'It cannot be told who is calling')
  }

  /** One that is gone by the time of the answer counts as nobody's: its port may be another user's by then, whom the kernel would name. */
  async #look(socket: Socket): Promise<Caller | GearError> {
    const found = await peerOf(connectionOf(socket), this.#host.network, this.#members)
    if (socket.destroyed) return new GearError('CALLER_REFUSED', 'The caller is gone')
    if (found instanceof GearError) this.#boundStrangers(socket)
    return found
  }

  /** A caller that has closed its side while it is not answered waits for that, or is gone: then its end of the connection is nobody's. */
  async #lookAgain(socket: Socket): Promise<void> {
    if (socket.writableEnded) return
    const before = this.#found.get(socket)
    const isThere = this.#host.network.ownerOfConnection(connectionOf(socket)).then(
      uid => uid !== undefined,
      () => false,
    )
    this.#found.set(
      socket,
      isThere.then(is => (is && before !== undefined ? before : new GearError('CALLER_REFUSED', 'The caller is gone'))),
    )
    if (!(await isThere)) socket.destroy()
  }

  #boundStrangers(socket: Socket): void {
    if (this.#strangers >= strangersMax) {
      socket.destroy()
      return
    }
    this.#strangers += 1
    socket.once('close', () => {
      this.#strangers -= 1
    })
  }
}

function connectionOf({ localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 }: Socket): Connection {
  return { localAddress, localPort, remoteAddress, remotePort }
}
