/**
 * HTTP to one agent, over TCP or its Unix socket: one exchange at a time, no meaning. Connections are kept for the next call to the same agent.
 * `node:http` is taken from the process because importing it costs 24 ms at every start: the import's facade reads all of its lazy parts.
 */
import type * as http from 'node:http'
import { GearError, limits } from '../api/index.ts'

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string }

export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: string | undefined
  /** On a connection of its own. A kept one may be closed by the agent just when it is used again, and then nobody knows what was done. */
  readonly isFresh: boolean
}

export interface WireReply {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Pieces as the reader takes them; leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Closes the connection without reading the body. */
  discard(): void
}

export interface Transport {
  exchange(request: WireRequest, signal?: AbortSignal): Promise<WireReply>
  close(): void
}

/** The agent could not be asked. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** `connect`: nothing was sent. `answer`: the request may have arrived. */
  readonly stage: 'connect' | 'answer'
  /** As of the system: ECONNREFUSED, ENOENT, … */
  readonly code: string | undefined
  readonly isTimeout: boolean

  constructor(
    stage: 'connect' | 'answer',
    message: string,
    details: { readonly code?: string | undefined; readonly isTimeout?: boolean } = {},
  ) {
    super(message)
    this.stage = stage
    this.code = details.code
    this.isTimeout = details.isTimeout ?? false
  }
}

/** Longest wait for the head of an answer. Deletes wait for systemd, which has its own limits. */
const answerMs = limits.unitJobMs + limits.busCallMs

/** A peer that vanished without a word is noticed by probes, since a followed log may be silent for days. */
const keepAliveMs = 15_000

export function httpTransport(address: Address): Transport {
  const { Agent, request: open } = process.getBuiltinModule('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const place = address.kind === 'tcp' ? { host: address.host, port: address.port } : { socketPath: address.path, host: 'localhost' }
  return {
    exchange({ method, target, headers, payload, isFresh }, signal) {
      signal?.throwIfAborted()
      const length =
        payload === undefined
          ? bodylessLength(method)
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }
      const sent = open({
        ...place,
        method,
        path: target,
        headers: { ...headers, ...length },
        agent: isFresh ? false : agent,
        ...(signal === undefined ? {} : { signal }),
      })
      return replyTo(sent, payload, signal)
    },
    close() {
      agent.destroy()
    },
  }
}

/** A body that is absent is said to be so, or Node would send an empty chunked one. */
function bodylessLength(method: string): Readonly<Record<string, string | number>> {
  return method === 'GET' || method === 'DELETE' ? {} : { 'Content-Length': 0 }
}

function replyTo(sent: http.ClientRequest, payload: string | undefined, signal: AbortSignal | undefined): Promise<WireReply> {
  const { promise, resolve, reject } = Promise.withResolvers<WireReply>()
  let stage: 'connect' | 'answer' = 'connect'
  const late = (limitMs: number) => {
    const what = stage === 'connect' ? 'no connection' : 'no answer'
    return setTimeout(() => sent.destroy(new ConnectionError(stage, `${what} within ${limitMs / 1000} s`, { isTimeout: true })), limitMs)
  }
  let timer = late(limits.connectMs)
  sent.once('socket', socket => {
    socket.setKeepAlive(true, keepAliveMs)
    const connected = () => {
      stage = 'answer'
      clearTimeout(timer)
      timer = late(answerMs)
    }
    if (socket.connecting) socket.once('connect', connected)
    else connected()
  })
  sent.once('error', error => {
    clearTimeout(timer)
    if (signal?.aborted) reject(signal.reason)
    else reject(error instanceof ConnectionError ? error : connectionError(stage, error))
  })
  sent.once('response', response => {
    clearTimeout(timer)
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: piecesOf(response, signal),
      discard: () => void response.destroy(),
    })
  })
  sent.end(payload)
  return promise
}

async function* piecesOf(response: http.IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response) yield piece
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw new ConnectionError('answer', 'the connection broke in the middle of the answer', { code: (error as NodeJS.ErrnoException).code })
  }
}

const wordsOfCodes: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there (connection refused)'],
  ['ENOENT', 'the socket does not exist'],
  ['EACCES', 'permission denied'],
  ['ENOTFOUND', 'the host name is not known'],
  ['EAI_AGAIN', 'the host name could not be resolved at the moment'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['ECONNRESET', 'the connection was closed before an answer'],
  ['EPIPE', 'the connection was closed before an answer'],
])

/** A name with several addresses fails with one error per address and an empty message; the code is that of the last. */
function connectionError(stage: 'connect' | 'answer', error: NodeJS.ErrnoException): ConnectionError {
  const { code } = error
  const words = code === undefined ? undefined : wordsOfCodes.get(code)
  return new ConnectionError(stage, words ?? (error.message || code || 'unknown trouble'), { code })
}

/** 16 random bytes. Loading `node:crypto` for them costs 5 ms at every start; the kernel's own source, which it draws from too, does not. */
export function randomBytes16(): Uint8Array {
  const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs')
  const bytes = new Uint8Array(16)
  const source = openSync('/dev/urandom', 'r')
  try {
    if (readSync(source, bytes) !== bytes.length) throw new Error('/dev/urandom gave too few bytes')
  } finally {
    closeSync(source)
  }
  return bytes
}

const tokenBytesMax = 4096

/** The bearer token in a file: one line of visible characters. */
export function readToken(path: string): string {
  let text: string
  try {
    text = process.getBuiltinModule('node:fs').readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new GearError('STORAGE_FAILED', `The token file ${path} could not be read`, { cause })
  }
  if (text.length > tokenBytesMax || !/^[\x21-\x7e]+$/.test(text)) {
    throw new GearError('INPUT_INVALID', `The token file ${path} must hold one line of visible characters`)
  }
  return text
}
