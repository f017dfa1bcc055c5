/**
 * The composition root: from a configuration and a host to a running agent, and to an orderly end. Holds the writer lock while it runs.
 */
import { asGearError, contract, explain, GearError, type Handlers, limits, openApiDocument } from '../api/index.ts'
import type { Undone } from '../domains/index.ts'
import type { Host, Lock } from '../host/index.ts'
import type { Config } from './config.ts'
import { type Listeners, openListeners, parseListenUrl } from './listeners.ts'
import type { Log } from './log.ts'
import { Lanes } from './queue.ts'
import { Requests } from './requests.ts'
import type { Value } from './route.ts'
import { makeApp, type ServeOptions, takeUp } from './serve.ts'
import { Sessions } from './sessions.ts'
import { takeWriterLock } from './writer-lock.ts'

/** What the handlers need to know of the agent. */
export interface AgentFacts {
  readonly version: string
  readonly openApi: () => unknown
}

export interface AgentOptions {
  readonly config: Config
  readonly host: Host
  readonly log: Log
  readonly version: string
  readonly makeHandlers: (host: Host, facts: AgentFacts) => Handlers
  /** Makes the host ready: folders, targets, slices. Runs under the writer lock, before anybody can call. */
  readonly prepareHost: (host: Host) => Promise<void>
  /** What an earlier agent did not bring to its end. */
  readonly undone?: (host: Host) => Promise<readonly Undone[]>
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Throws a `GearError` that says what to change when it cannot start; then nothing is left open. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host } = options
  const lock = await takeWriterLock(host)
  try {
    await options.prepareHost(host)
    return await Agent.open(options, lock)
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

interface AgentParts {
  readonly options: AgentOptions
  readonly lock: Lock
  readonly requests: Requests<Value>
  readonly sessions: Sessions
  readonly listeners: Listeners
}

export class Agent {
  readonly #options: AgentOptions
  readonly #lock: Lock
  readonly #listeners: Listeners
  readonly #requests: Requests<Value>
  readonly #sessions: Sessions
  readonly #ended = Promise.withResolvers<void>()
  readonly #watch = new AbortController()
  #stopping: Promise<void> | undefined

  private constructor({ options, lock, requests, sessions, listeners }: AgentParts) {
    this.#options = options
    this.#lock = lock
    this.#requests = requests
    this.#sessions = sessions
    this.#listeners = listeners
  }

  static async open(options: AgentOptions, lock: Lock): Promise<Agent> {
    const { config, host, log, version, makeHandlers, environment } = options
    const requests = new Requests<Value>()
    let document: unknown
    const handlers = makeHandlers(host, { version, openApi: () => (document ??= openApiDocument(contract, version)) })
    const serving = { handlers, log, clock: host.clock, requests, lanes: new Lanes() }
    const app = makeApp(serving)
    const sessions = new Sessions(serving)
    const listeners = await openListeners({
      app,
      sessions,
      host,
      log,
      urls: config.listen.map(parseListenUrl).filter(url => url !== undefined),
      socketPath: config.socketPath,
      tokenFile: config.tokenFile === '' ? undefined : config.tokenFile,
      isInsecure: config.insecureHttp,
      hostNames: config.hostNames,
      ...(environment === undefined ? {} : { environment }),
    })
    const agent = new Agent({ options, lock, requests, sessions, listeners })
    for (const address of listeners.addresses) log.info({ address }, 'listening')
    void agent.#watchIdle()
    void agent.#takeUp(serving)
    return agent
  }

  get addresses(): readonly string[] {
    return this.#listeners.addresses
  }

  /** Requests that are being worked on or wait for their turn. */
  get runningCount(): number {
    return this.#requests.runningCount
  }

  /** Resolves when the agent has stopped, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /**
   * Takes no more requests, ends logs and waits with a line that says so, gives changes `limits.shutdownMs` to end, and gives the lock back.
   * What is cut off is harmless: the next look at the host sees where it stopped.
   */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  async #stop(why: string): Promise<void> {
    const { log, host } = this.#options
    log.info({ reason: why, running: this.#requests.runningCount }, 'stopping')
    this.#watch.abort()
    const reason = new GearError('HOST_UNREACHABLE', 'The agent is being stopped')
    this.#sessions.stop(reason)
    const closed = this.#listeners.close(limits.shutdownMs)
    const enough = new AbortController()
    const finished = this.#requests.stop(reason).then(() => this.#listeners.closeIdle())
    await Promise.race([finished, host.clock.sleep(limits.shutdownMs, enough.signal).catch(() => undefined)])
    enough.abort()
    await closed
    await this.#lock[Symbol.asyncDispose]()
    log.info({ reason: why }, 'stopped')
    this.#ended.resolve()
  }

  /** Never throws: what cannot be taken up is told in the log. */
  async #takeUp(serving: ServeOptions): Promise<void> {
    const { host, log, undone } = this.#options
    const tell = (error: unknown, fields: object = {}): void => {
      const why = asGearError(error)
      log.warn({ ...fields, code: why.code, error: explain(why) }, 'could not take up what an earlier agent left')
    }
    const found = await (undone?.(host) ?? Promise.resolve([])).catch((error: unknown) => {
      tell(error)
      return []
    })
    for (const { request, requestId } of found) {
      const fields = { operation: request.operation.id, path: request.target, request: requestId }
      log.info(fields, 'taking up what an earlier agent left')
      await takeUp(serving, { request, requestId }).catch((error: unknown) => tell(error, fields))
    }
  }

  /** An agent that nobody needs ends; systemd holds the sockets and starts it with the next connection. */
  async #watchIdle(): Promise<void> {
    const { config, host, log } = this.#options
    if (config.idleExitMinutes === 0) return
    if (!this.#listeners.isActivated) {
      log.warn({ idleExitMinutes: config.idleExitMinutes }, 'not started by gear.socket, so the agent stays')
      return
    }
    const idleMs = config.idleExitMinutes * 60_000
    while (!this.#watch.signal.aborted) {
      if (this.#requests.runningCount === 0 && this.#listeners.idleMs >= idleMs) return this.stop('idle')
      await host.clock.sleep(Math.max(1_000, idleMs - this.#listeners.idleMs), this.#watch.signal).catch(() => undefined)
    }
  }
}
