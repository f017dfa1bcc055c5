/**
 * The contract over HTTP (spec §3): one route per operation, and the same path for every request: its id, its fields, its body, its turn,
 * its answer. What an operation does is not known here.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Context, Hono } from 'hono'
import {
  asGearError,
  type Caller,
  dryRunOf,
  explain,
  fromText,
  fromWire,
  GearError,
  isDryRun,
  type Operation,
  operations,
  planning,
  type RequestId,
} from '../api/index.ts'
import type { Undone } from '../domains/index.ts'
import { FormatError, newRequestId, parseRequestId } from '../formats/index.ts'
import type { Clock } from '../host/index.ts'
import { acceptsOf } from './accept.ts'
import { errorAnswer } from './answer.ts'
import { parseBody, readBody } from './body.ts'
import { type Log, loggedPath, logMistake } from './log.ts'
import type { Lanes } from './queue.ts'
import type { Requests, Result, Work } from './requests.ts'
import { makeRoute, type Route, requireAcceptable, toResult, type Value, wantedForm, writeAnswer } from './route.ts'
import { parseTarget, pathParameters } from './target.ts'

/** What comes with every request from the listener it came in by. */
export interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** Who calls, or why the call is refused. */
  readonly caller: Caller | GearError
}

export type App = Hono<{ Bindings: Bindings }>

export interface ServeOptions {
  /** One function per operation of the contract. `Handlers` fits. */
  readonly handlers: Readonly<Record<string, unknown>>
  readonly log: Log
  readonly clock: Pick<Clock, 'elapsedMs' | 'sleep' | 'randomBytes'>
  readonly requests: Requests<Value>
  readonly lanes: Lanes
}

export function makeApp(options: ServeOptions): App {
  const server = new Server(options)
  const app: App = new Hono({ getPath: (_request, context) => parseTarget(context?.env?.incoming.url ?? '/').path })
  for (const [pattern, methods] of routesByPattern(options)) app.all(pattern, context => server.answer(context, methods))
  app.notFound(context => server.answer(context, undefined))
  return app
}

/** Takes up what an earlier agent did not bring to its end. Resolves when the work has begun; throws what kept it from that. */
export function takeUp(options: ServeOptions, undone: Undone): Promise<void> {
  return new Server(options).takeUp(undone)
}

type Methods = ReadonlyMap<string, Route>

function routesByPattern({ handlers }: ServeOptions): ReadonlyMap<string, Methods> {
  const patterns = new Map<string, Map<string, Route>>()
  for (const [name, operation] of Object.entries(operations)) {
    const handler = handlers[name]
    if (typeof handler !== 'function') throw new TypeError(`The operation ${name} has no handler`)
    const route = makeRoute(operation, handler as Route['handler'])
    const methods = patterns.get(route.template.pattern) ?? new Map<string, Route>()
    patterns.set(route.template.pattern, methods.set(operation.method, route))
    if (operation.method === 'GET') methods.set('HEAD', route)
  }
  return patterns
}

/** A request on its way; its fields are for the log line it ends in. */
interface Arrival {
  readonly context: Context<{ Bindings: Bindings }>
  readonly requestId: RequestId
  /** The caller gave the id, so the request can be joined. */
  readonly isNamed: boolean
  readonly arrivedMs: number
}

class Server {
  readonly #log: Log
  readonly #clock: ServeOptions['clock']
  readonly #requests: Requests<Value>
  readonly #lanes: Lanes
  readonly #handlers: ServeOptions['handlers']

  constructor({ log, clock, requests, lanes, handlers }: ServeOptions) {
    this.#handlers = handlers
    this.#log = log
    this.#clock = clock
    this.#requests = requests
    this.#lanes = lanes
  }

  /** Answers any request; never throws. */
  async answer(context: Arrival['context'], methods: Methods | undefined): Promise<Response> {
    const arrivedMs = this.#clock.elapsedMs()
    const header = single(context.env.incoming.headers['x-request-id'])
    const id = readRequestId(header)
    const requestId = id instanceof GearError || id === undefined ? this.#newId() : id
    const arrival: Arrival = { context, requestId, isNamed: id === requestId, arrivedMs }
    const route = methods?.get(context.req.method)
    try {
      if (context.env.caller instanceof GearError) throw context.env.caller
      if (id instanceof GearError) throw id
      if (route !== undefined) return await this.#carryOut(arrival, route, context.env.caller)
      if (methods === undefined) throw new GearError('ROUTE_UNKNOWN', 'There is no such path')
      throw new GearError('METHOD_NOT_ALLOWED', `The method ${context.req.method} does not exist for this path`)
    } catch (error) {
      return this.#refuse(arrival, route, error, methods)
    }
  }

  async #carryOut(arrival: Arrival, given: Route, caller: Caller): Promise<Response> {
    const { context, requestId, isNamed } = arrival
    const { incoming, outgoing } = context.env
    const texts = parseTarget(incoming.url ?? '').query
    const route = isDryRun(given.operation, texts) ? dryRunRoute(given) : given
    const { operation } = route
    if (operation.reply.kind === 'session') throw new GearError('UPGRADE_REQUIRED', `${operation.id} is a session`)
    const accepts = acceptsOf({ accept: incoming.headers.accept, xAccept: single(incoming.headers['x-accept']) })
    requireAcceptable(operation, accepts)
    const wants = wantedForm(operation, accepts)
    const params = fromText(operation.params, pathParameters(route.template, context.req.path))
    const query = fromText(operation.query, texts)
    const bytes = operation.body === undefined ? undefined : await readBody(incoming)
    const body = operation.body === undefined || bytes === undefined ? undefined : fromWire(operation.body, parseBody(bytes))
    const digest = isNamed ? digestOf([operation.method, incoming.url ?? '', wants, caller.isRoot ? 'root' : ''], bytes) : ''
    const work: Work<Value> = signal =>
      this.#inTurn(route, { params, query, body, wants, mediaTypes: accepts.mediaTypes, caller, requestId, signal })
    const isJoinable = isNamed && operation.reply.kind !== 'bytes'
    const visit = this.#requests.open(
      { id: isJoinable ? requestId : undefined, digest, isRead: operation.effect === 'read' || operation.isFollowed === true },
      work,
    )
    onceGone({ incoming, outgoing }, visit.leave)
    const { value } = await visit.result
    const headers = { 'X-Request-Id': requestId }
    const response = await writeAnswer(value, {
      operation,
      accepts,
      isHead: context.req.method === 'HEAD',
      headers,
      leave: visit.leave,
      breakOff: () => void outgoing.destroy(),
    })
    this.#logAnswer(arrival, route, response.status)
    return response
  }

  /** As if root had sent the request again under its id: who does so is attached to it. Nobody needs to. */
  async takeUp({ request, requestId }: Undone): Promise<void> {
    const { operation, params, query, body, target } = request
    const route = makeRoute(operation, this.#handlers[operation.id] as Route['handler'])
    const wants = 'text'
    const work: Work<Value> = signal =>
      this.#inTurn(route, { params, query, body, wants, mediaTypes: [], caller: { isRoot: true }, requestId, signal })
    const digest = digestOf([operation.method, target, wants, 'root'], undefined)
    const visit = this.#requests.open({ id: requestId, digest, isRead: false }, work)
    try {
      await visit.result
    } finally {
      visit.leave()
    }
  }

  /** Waits for a turn and calls the handler. The turn lasts until the text that follows the result has ended. */
  #inTurn(route: Route, call: Parameters<Route['handler']>[0]): Promise<Result<Value>> {
    const { operation, handler } = route
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        call.signal.throwIfAborted()
        const given = await handler(call)
        const result = toResult(operation, given, call.signal, {
          sleep: (ms, signal) => this.#clock.sleep(ms, signal),
          onLateFailure: error => this.#logFailure(operation, call.requestId, error),
        })
        resolve(result)
        await result.ended
      }
      this.#lanes.run(operation.lane, run).catch((error: unknown) => {
        const why = call.signal.aborted ? nobodyWaits(call.signal) : asGearError(error)
        if (why.code === 'INTERNAL') this.#logFailure(operation, call.requestId, why)
        reject(why)
      })
    })
  }

  #refuse(arrival: Arrival, route: Route | undefined, cause: unknown, methods: Methods | undefined): Response {
    const error = asGearError(cause)
    if (error !== cause) this.#logFailure(route?.operation, arrival.requestId, error)
    this.#logAnswer(arrival, route, error.entry.status, error)
    const allow = error.code === 'METHOD_NOT_ALLOWED' ? { Allow: [...(methods?.keys() ?? [])].join(', ') } : undefined
    return errorAnswer(error, arrival.requestId, allow)
  }

  /** One line per request: changes, refused callers and failures of the host as news, the rest for debugging. Nothing of the body is in it. */
  #logAnswer(arrival: Arrival, route: Route | undefined, status: number, error?: GearError): void {
    const isNews = status === 401 || status === 403 || (route !== undefined && route.operation.effect !== 'read')
    const level = status >= 500 ? 'warn' : isNews ? 'info' : 'debug'
    const { method } = arrival.context.req
    const path = loggedPath(arrival.context.req.path)
    this.#log[level](
      {
        ...(route === undefined ? { method, path } : { operation: route.operation.id, path }),
        status,
        ms: Math.round(this.#clock.elapsedMs() - arrival.arrivedMs),
        request: arrival.requestId,
        ...(error === undefined ? {} : { code: error.code, error: explain(error) }),
      },
      'request answered',
    )
  }

  /** A mistake of gear's own, with its stack; or a failure that came after the answer had begun. */
  #logFailure(operation: Operation | undefined, request: RequestId, error: GearError): void {
    const fields = { ...(operation === undefined ? {} : { operation: operation.id }), request }
    if (error.code === 'INTERNAL') logMistake(this.#log, fields, error.cause ?? error)
    else this.#log.warn({ ...fields, code: error.code, error: explain(error) }, 'request failed after its answer began')
  }

  #newId(): RequestId {
    return newRequestId(this.#clock.randomBytes(16)) as RequestId
  }
}

function dryRunRoute({ operation, handler, template }: Route): Route {
  return { operation: dryRunOf(operation), handler: planning(handler), template }
}

/**
 * Calls back once, when the answer is through or its caller is gone. The connection counts as well as the answer: one that still waits behind
 * another on the same connection is not told of its end.
 */
function onceGone({ incoming: { socket }, outgoing }: Pick<Bindings, 'incoming' | 'outgoing'>, leave: () => void): void {
  const gone = (): void => {
    outgoing.off('close', gone)
    socket.off('close', gone)
    leave()
  }
  outgoing.on('close', gone)
  socket.on('close', gone)
  if (socket.destroyed || outgoing.destroyed) gone()
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(', ') : header
}

function readRequestId(header: string | undefined): RequestId | GearError | undefined {
  if (header === undefined || header === '') return undefined
  try {
    return parseRequestId(header) as RequestId
  } catch (error) {
    if (error instanceof FormatError) return new GearError('REQUEST_ID_INVALID', `X-Request-Id: ${error.message}`)
    throw error
  }
}

function digestOf(parts: readonly string[], body: Uint8Array | undefined): string {
  const hash = createHash('sha256').update(parts.join('\n')).update('\n')
  if (body !== undefined) hash.update(body)
  return hash.digest('base64url')
}

/** Why a read was ended: at shutdown the signal says; else the caller left, and nobody reads this. */
function nobodyWaits(signal: AbortSignal): GearError {
  return signal.reason instanceof GearError ? signal.reason : new GearError('HOST_UNREACHABLE', 'The caller left before the answer')
}
