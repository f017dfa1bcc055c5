/**
 * The HTTP API of Docker on its Unix socket. A client of our own over node:http: `docs/decisions/0001-engine-client.md`
 * has the figures. Calls are under way on few kept connections; every one is bounded in time and size. What is called is not known here.
 */
import type { Agent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type GearError, limits } from '../../api/index.ts'
import { builtinHttp } from '../../lib/index.ts'
import { engineFailed, engineUnavailable, NoAnswer } from './errors.ts'

export interface DockerOptions {
  readonly socketPath?: string
  readonly callMs?: number
  readonly idleMs?: number
}

/** A host with thousands of images answers with a few megabytes. */
const replyBytesMax = 33_554_432

/** Connections to the engine at once; further calls wait for one of them. */
const connectionsMax = 8

export interface Reply {
  readonly status: number
  /** JSON as it was read, or the text that came in its place: `/_ping` and some failures are plain text. */
  readonly body: unknown
}

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly path: string
  /** For messages: `read container web`. */
  readonly attempted: string
  readonly body?: unknown
}

export class DockerApi {
  readonly socketPath: string
  readonly callMs: number
  /** How long a copy may stand still. */
  readonly idleMs: number
  #agent: Agent | undefined

  constructor({ socketPath = '/run/docker.sock', callMs = limits.engineCallMs, idleMs = limits.copyIdleMs }: DockerOptions) {
    this.socketPath = socketPath
    this.callMs = callMs
    this.idleMs = idleMs
  }

  /** The body, or undefined when there is no such thing. */
  async find(call: Call): Promise<unknown> {
    const reply = await this.call(call)
    if (reply.status === 404) return undefined
    return expectSuccess(call, reply).body
  }

  async call(call: Call): Promise<Reply> {
    try {
      return await this.#send(call)
    } catch (error) {
      // A kept connection may have been closed by the engine just as it was used again. All calls here may be repeated.
      if (!(error instanceof StaleConnection)) throw error
      return this.#send(call)
    }
  }

  #send(call: Call): Promise<Reply> {
    const payload = call.body === undefined ? '' : JSON.stringify(call.body)
    this.#agent ??= new (builtinHttp().Agent)({ keepAlive: true, maxSockets: connectionsMax })
    return new Promise((resolve, reject) => {
      const request = builtinHttp().request({
        agent: this.#agent,
        socketPath: this.socketPath,
        method: call.method,
        path: call.path,
        headers: {
          host: 'localhost',
          'content-length': Buffer.byteLength(payload),
          ...(payload === '' ? {} : { 'content-type': 'application/json' }),
        },
      })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.callMs)), this.callMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(request.reusedSocket && isConnectionEnd(error) ? new StaleConnection() : this.unavailable(error))
      }
      request.on('error', fail)
      request.on('response', response => {
        replyOf(response).then(reply => {
          clearTimeout(timer)
          resolve(reply)
        }, fail)
      })
      request.end(payload)
    })
  }

  /** Sends a call on a connection of its own; resolves when the head of the answer is there. */
  begin({ method, path }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = builtinHttp().request({ socketPath: this.socketPath, method, path, headers: { host: 'localhost' } })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.callMs)), this.callMs)
      request.on('error', error => {
        clearTimeout(timer)
        reject(this.unavailable(error))
      })
      request.on('response', response => {
        clearTimeout(timer)
        resolve(response)
      })
      request.end()
    })
  }

  /** A connection that belongs to the other end of a command from now on. */
  connect(path: string, body: unknown, attempted: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const request = builtinHttp().request({
        socketPath: this.socketPath,
        method: 'POST',
        path,
        headers: {
          host: 'localhost',
          connection: 'Upgrade',
          upgrade: 'tcp',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        },
      })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.callMs)), this.callMs)
      request.on('error', error => {
        clearTimeout(timer)
        reject(this.unavailable(error))
      })
      request.on('upgrade', (_response, socket, head) => {
        clearTimeout(timer)
        if (head.length > 0) socket.unshift(head)
        // One that is cut off has an output that ends; the exit code tells the rest.
        socket.on('error', () => undefined)
        resolve(socket as Socket)
      })
      request.on('response', response => {
        clearTimeout(timer)
        replyOf(response).then(
          reply => reject(refused(attempted, reply)),
          error => reject(this.unavailable(error)),
        )
      })
      request.end(text)
    })
  }

  /** Sends a tar. Who fails first is told: the tar, or the engine in the middle of it. */
  async upload(path: string, tar: AsyncIterable<Uint8Array>): Promise<Reply> {
    const request = builtinHttp().request({
      socketPath: this.socketPath,
      method: 'PUT',
      path,
      headers: { host: 'localhost', 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' },
    })
    let isAnswered = false
    const answer = new Promise<Reply>((resolve, reject) => {
      request.on('error', error => reject(this.unavailable(error)))
      request.on('response', response => {
        isAnswered = true
        replyOf(response).then(resolve, error => reject(this.unavailable(error)))
      })
    })
    const sent = (async () => {
      for await (const piece of tar) {
        if (isAnswered) return
        const timer = setTimeout(() => request.destroy(new NoAnswer(this.idleMs)), this.idleMs)
        await new Promise<void>(resolve => request.write(piece, () => resolve()))
        clearTimeout(timer)
      }
      request.end()
      request.setTimeout(limits.copyEndMs, () => request.destroy(new NoAnswer(limits.copyEndMs)))
    })()
    try {
      const [reply] = await Promise.all([answer, Promise.race([sent, answer])])
      return reply
    } finally {
      request.destroy()
    }
  }

  unavailable(cause: unknown): GearError {
    return engineUnavailable(this.socketPath, cause)
  }
}

class StaleConnection extends Error {}

function isConnectionEnd(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

export async function replyOf(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > replyBytesMax) throw new Error(`the answer has more than ${replyBytesMax} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The reply itself, unless the engine refused or failed. */
export function expectSuccess({ attempted }: Pick<Call, 'attempted'>, reply: Reply): Reply {
  if (reply.status < 200 || reply.status >= 300) throw refused(attempted, reply)
  return reply
}

export function refused(attempted: string, { status, body }: Reply): GearError {
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body).trim()
  return engineFailed(attempted, new Error(said === '' ? `the engine answered ${status}` : said))
}
