/**
 * One lasting connection to the system bus, made at the first call and again at the first call after it was lost. Calls are pipelined: many
 * are under way on the one socket at once. Nothing is repeated by itself, as a call that got no answer may have been carried out.
 */
import type { Message, MessageBus } from 'dbus-native'

export interface BusCall {
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
}

export interface BusSignal {
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly body: readonly unknown[]
}

/** The bus could not be reached, went away, or did not answer in time. */
export class BusLost extends Error {
  override readonly name = 'BusLost'
}

/** The other side answered with an error. */
export class BusRefusal extends Error {
  override readonly name = 'BusRefusal'
  /** Such as `org.freedesktop.systemd1.NoSuchUnit`. */
  readonly errorName: string

  constructor(errorName: string, message: string) {
    super(message)
    this.errorName = errorName
  }
}

interface SystemBusOptions {
  readonly socketPath: string
  /** The service all calls go to, and all signals come from. */
  readonly service: string
  readonly callMs: number
}

type Library = typeof import('dbus-native')

interface Session {
  readonly bus: MessageBus
  readonly rules: Map<string, Promise<unknown>>
  readonly listeners: Set<Listener>
  /** Calls under way, and those that wait for one of them to end, in their order. */
  pending: number
  readonly waiting: (() => void)[]
}

/** The bus refuses a 129th call of a connection that waits for answers (max_replies_per_connection of dbus-daemon(1)). */
const pendingMax = 100

interface Listener {
  readonly onSignal: (signal: BusSignal) => void
  readonly onLost: (cause: BusLost) => void
}

/** Error names by which the bus says for the other side that it is not there or did not answer. */
const lostNames = new Set(
  ['NoReply', 'Disconnected', 'ServiceUnknown', 'NameHasNoOwner', 'TimedOut', 'NoServer'].map(name => `org.freedesktop.DBus.Error.${name}`),
)

export class SystemBus {
  readonly #options: SystemBusOptions
  #library: Promise<Library> | undefined
  #session: Session | undefined

  constructor(options: SystemBusOptions) {
    this.#options = options
  }

  async call(call: BusCall): Promise<readonly unknown[]> {
    return this.#send(await this.#connect(), { ...call, destination: this.#options.service })
  }

  /**
   * Passes on signals that match the rules until it is disposed of, or the connection is lost, which is told once. Rules stay for as long
   * as the connection does, so a listener also hears what others asked for.
   */
  async listen(rules: readonly string[], listener: Listener): Promise<Disposable> {
    const session = await this.#connect()
    session.listeners.add(listener)
    const listening = { [Symbol.dispose]: () => void session.listeners.delete(listener) }
    try {
      await Promise.all(rules.map(rule => this.#addRule(session, `type='signal',sender='${this.#options.service}',${rule}`)))
      return listening
    } catch (error) {
      listening[Symbol.dispose]()
      throw error
    }
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.bus.close()
  }

  async #connect(): Promise<Session> {
    this.#library ??= import('dbus-native')
    const { createClient } = await this.#library
    this.#session ??= this.#dial(createClient)
    return this.#session
  }

  /** Calls may be sent at once: they wait in order behind the handshake, and fail if that does. */
  #dial(createClient: Library['createClient']): Session {
    const bus = createClient({ socket: this.#options.socketPath, authMethods: ['EXTERNAL'], returnBigInt: true, plainValues: true })
    const session: Session = { bus, rules: new Map(), listeners: new Set(), pending: 0, waiting: [] }
    const forget = (cause?: Error): void => this.#forget(session, cause)
    bus.connection.on('error', forget)
    bus.connection.on('handlerError', forget)
    // the end of what comes in is the end: the library refuses calls from then on, though the socket closes later
    bus.connection.on('end', forget)
    bus.connection.on('close', forget)
    bus.connection.on('message', message => {
      // What is broadcast comes by rules, which name the sender. Any user of the host may send a signal to us alone, in the words of systemd.
      if (message.type === signalType && message.destination === undefined) spread(session, message)
    })
    return session
  }

  #forget(session: Session, cause: Error | undefined): void {
    if (this.#session === session) this.#session = undefined
    const lost = new BusLost(`the connection to ${this.#options.socketPath} was lost`, { cause })
    for (const listener of session.listeners) listener.onLost(lost)
    session.listeners.clear()
    session.bus.connection.stream.destroy()
    // They fail at once now.
    for (const send of session.waiting.splice(0)) send()
  }

  #addRule(session: Session, rule: string): Promise<unknown> {
    let adding = session.rules.get(rule)
    if (adding === undefined) {
      adding = this.#send(session, { ...busObject, member: 'AddMatch', signature: 's', body: [rule] })
      session.rules.set(rule, adding)
      adding.catch(() => session.rules.delete(rule))
    }
    return adding
  }

  #send(session: Session, call: BusCall & { readonly destination: string }): Promise<readonly unknown[]> {
    const message: Message = { ...call, body: [...(call.body ?? [])] }
    return inTurn(session, (resolve, reject) => {
      void session.bus.invoke(message, { timeout: this.#options.callMs }, (error, ...values) => {
        if (error === null) return resolve(values)
        const { dbusName = '' } = error
        if (dbusName !== '' && !lostNames.has(dbusName)) return reject(new BusRefusal(dbusName, error.message))
        // a connection that leaves a call without an answer for so long may be dead: the next call gets a new one
        if (error.name === 'TimeoutError') this.#forget(session, error)
        reject(new BusLost(error.message, { cause: error.cause }))
      })
    })
  }
}

type Answer = readonly unknown[]

/** Begins at once while few calls are under way. */
function inTurn(session: Session, begin: (resolve: (answer: Answer) => void, reject: (error: Error) => void) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = (): void => {
      session.pending++
      const end = (): void => {
        session.pending--
        session.waiting.shift()?.()
      }
      begin(
        answer => {
          end()
          resolve(answer)
        },
        error => {
          end()
          reject(error)
        },
      )
    }
    if (session.pending < pendingMax) send()
    else session.waiting.push(send)
  })
}

function spread(session: Session, message: Message): void {
  const { path = '', interface: name = '', member = '', body = [] } = message
  for (const listener of session.listeners) listener.onSignal({ path, interface: name, member, body })
}

/** A signal, among the types of messages. */
const signalType = 4

const busObject = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
