/**
 * Sessions over HTTP: a request that asks for the upgrade is answered 101, and from then on both sides send frames over its connection. What is wrong
 * with the request itself is answered as for every other; what fails later comes as a last frame.
 */
import type { IncomingMessage } from 'node:http'
import {
  asGearError,
  type Call,
  type Caller,
  errorCatalogue,
  explain,
  type Frame,
  FrameReader,
  fromText,
  fromWire,
  GearError,
  inputOf,
  limits,
  operations,
  printFrame,
  printOutput,
  type RequestId,
  type Session,
  sessionProtocol,
} from '../api/index.ts'
import { newRequestId } from '../formats/index.ts'
import { errorAnswer } from './answer.ts'
import { parseBody } from './body.ts'
import { loggedPath, logMistake } from './log.ts'
import { makeRoute, type Route } from './route.ts'
import type { ServeOptions } from './serve.ts'
import { parseTarget, pathParameters } from './target.ts'

type Socket = IncomingMessage['socket']

/** A connection on which an upgrade was asked for. */
export interface Upgrade {
  readonly incoming: IncomingMessage
  readonly socket: Socket
  /** What came behind the request already. */
  readonly head: Buffer
  readonly caller: Caller | GearError
}

/** How long the first frame may take. */
const beginMs = 10_000

/** Whether a request is for a session; every other upgrade is passed over, as HTTP has it. */
export function asksForSession({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === sessionProtocol
}

export class Sessions {
  readonly #options: ServeOptions
  readonly #routes: readonly { readonly pattern: RegExp; readonly route: Route }[]
  readonly #open = new Set<AbortController>()

  constructor(options: ServeOptions) {
    this.#options = options
    this.#routes = Object.entries(operations)
      .filter(([, operation]) => operation.reply.kind === 'session')
      .map(([name, operation]) => ({
        pattern: new RegExp(`^${operation.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
        route: makeRoute(operation, options.handlers[name] as Route['handler']),
      }))
  }

  get openCount(): number {
    return this.#open.size
  }

  /** Ends all of them with the reason. */
  stop(reason: GearError): void {
    for (const controller of this.#open) controller.abort(reason)
  }

  /** Never throws. */
  async serve(upgrade: Upgrade): Promise<void> {
    const { socket } = upgrade
    const requestId = newRequestId(this.#options.clock.randomBytes(16)) as RequestId
    const arrivedMs = this.#options.clock.elapsedMs()
    const controller = new AbortController()
    this.#open.add(controller)
    socket.on('error', () => undefined)
    const leave = (): void => controller.abort(new GearError('HOST_UNREACHABLE', 'The caller is gone'))
    socket.once('end', leave).once('close', leave)
    let status = 101
    try {
      const { route, call } = this.#readRequest(upgrade)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${sessionProtocol}\r\nX-Request-Id: ${requestId}\r\n\r\n`,
      )
      await this.#options.lanes.run(route.operation.lane, () =>
        this.#talk(upgrade, route, { ...call, requestId, signal: controller.signal }),
      )
    } catch (cause) {
      const error = asGearError(cause)
      status = error.entry.status
      if (error.code === 'INTERNAL') logMistake(this.#options.log, { request: requestId }, cause)
      socket.write(socket.bytesWritten === 0 ? await wireText(errorAnswer(error, requestId)) : printFrame('failed', failureText(error)))
    } finally {
      this.#open.delete(controller)
      takeLeave(socket)
      const path = loggedPath(parseTarget(upgrade.incoming.url ?? '').path)
      this.#options.log.info(
        { path, status, ms: Math.round(this.#options.clock.elapsedMs() - arrivedMs), request: requestId },
        'session ended',
      )
    }
  }

  #readRequest({ incoming, caller }: Upgrade) {
    if (caller instanceof GearError) throw caller
    const { path, query } = parseTarget(incoming.url ?? '')
    const found = this.#routes.find(({ pattern }) => pattern.test(path))
    if (found === undefined) throw new GearError('ROUTE_UNKNOWN', 'There is no session of this path')
    const { operation, template } = found.route
    if (incoming.method !== operation.method) {
      throw new GearError('METHOD_NOT_ALLOWED', `The method ${incoming.method} does not exist for this path`)
    }
    const params = fromText(operation.params, pathParameters(template, path))
    return { route: found.route, call: { params, query: fromText(operation.query, query), caller } }
  }

  /** Frames in, frames out, until the session or the connection ends. */
  async #talk(
    { socket, head }: Upgrade,
    { operation, handler }: Route,
    call: Omit<Call<unknown, unknown, unknown>, 'body' | 'wants' | 'mediaTypes'>,
  ): Promise<void> {
    const frames = framesOf(socket, head)
    const begin = await this.#first(frames, call.signal)
    const body = operation.body === undefined ? undefined : fromWire(operation.body, parseBody(Buffer.from(begin.payload)))
    const session = await (handler({ ...call, body, wants: 'text', mediaTypes: [] }) as Promise<Session>).catch((error: unknown) => {
      void dropAll(frames)
      throw error
    })
    // Ends with the connection.
    void listen(frames, session)
    const outputs = session.output[Symbol.asyncIterator]()
    const gone = rejection(call.signal)
    try {
      for (;;) {
        const { value, done } = await Promise.race([outputs.next(), gone])
        if (done === true) break
        await written(socket, printOutput(value))
      }
    } finally {
      session.close()
    }
  }

  async #first(frames: AsyncGenerator<Frame>, signal: AbortSignal): Promise<Frame> {
    const enough = new AbortController()
    const late = this.#options.clock.sleep(beginMs, AbortSignal.any([signal, enough.signal])).catch(() => undefined)
    const first = await Promise.race([frames.next(), late])
    enough.abort()
    if (first === undefined || first.done === true || first.value.kind !== 'begin' || first.value.payload.length > limits.bodyBytes) {
      throw new GearError('INPUT_INVALID', 'A session begins with a frame that says what is wanted')
    }
    return first.value
  }
}

async function* framesOf(socket: Socket, head: Buffer): AsyncGenerator<Frame> {
  const reader = new FrameReader()
  yield* reader.push(head)
  const pieces = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const piece of pieces) yield* reader.push(piece)
}

/** Never resolves; rejects with the reason of the signal. */
function rejection(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  if (signal.aborted) reject(signal.reason)
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return promise
}

/** Hands on what the caller sends. A caller that is gone, or talks nonsense, ends the session. */
async function listen(frames: AsyncIterable<Frame>, session: Session): Promise<void> {
  try {
    for await (const frame of frames) {
      const input = inputOf(frame)
      if (input !== undefined) await session.write(input)
    }
  } catch {
    // the connection is lost, which ends the session below
  }
  session.close()
}

/** Reads what nobody wants, until the caller leaves. */
async function dropAll(frames: AsyncIterable<Frame>): Promise<void> {
  try {
    for await (const _ of frames);
  } catch {
    // the connection is lost
  }
}

/** How long a caller may take to leave after the last frame. */
const leaveMs = 2000

/**
 * The caller closes the connection once it has read the last frame. Until then what it still sends is read: a connection that is closed with something unread
 * is reset, which can take the last frame along.
 */
function takeLeave(socket: Socket): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), leaveMs)
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer))
}

/** Resolves when the connection takes more, or is gone. */
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed) resolve()
    else socket.write(bytes, () => resolve())
  })
}

function failureText(error: GearError): string {
  const fields = error.fields.map(({ field, rule }) => ({ Field: field, Rule: rule }))
  return JSON.stringify({
    Message: explain(error),
    Code: error.code,
    Next: errorCatalogue[error.code].next,
    ...(fields.length === 0 ? {} : { Fields: fields }),
  })
}

async function wireText(response: Response): Promise<string> {
  const body = await response.text()
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${response.status} Refused\r\n${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}
