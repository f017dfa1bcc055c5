/**
 * HTTP to one agent, over TCP or its Unix socket: one exchange per connection, no meaning. `node:net` is taken from the process, which is the
 * quickest way to it.
 */
import type { Socket } from 'node:net'
import { GearError, limits, sessionProtocol } from '../api/index.ts'
import { type ReplyHead, ReplyMalformed, ReplyReader, requestText } from './http-exchange.ts'
import type { Upgraded } from './session.ts'

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string }

export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: string | undefined
}

export interface WireReply extends ReplyHead {
  /** Pieces as the reader takes them; leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Closes the connection without reading the body. */
  discard(): void
}

export interface Transport {
  exchange(request: WireRequest, signal?: AbortSignal): Promise<WireReply>
  /** Asks for a session, and sends its first frame along: its connection or, where it is refused, an answer like any other. */
  upgrade(request: WireRequest, firstFrame: Buffer, signal?: AbortSignal): Promise<WireReply | Upgraded>
  /** Closes what is open, answers that nobody has read among it. */
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
  const { connect } = process.getBuiltinModule('node:net')
  const place = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
  const host = address.kind === 'tcp' ? placeOf(address) : 'localhost'
  const sockets = new Set<Socket>()
  const open = (signal: AbortSignal | undefined): Socket => {
    signal?.throwIfAborted()
    const socket = connect({ ...place, keepAlive: true, keepAliveInitialDelay: keepAliveMs })
    const stop = () => socket.destroy()
    sockets.add(socket)
    signal?.addEventListener('abort', stop, { once: true })
    socket.once('close', () => {
      sockets.delete(socket)
      signal?.removeEventListener('abort', stop)
    })
    return socket
  }
  return {
    async exchange(request, signal) {
      const text = requestText({ ...request, host })
      const socket = open(signal)
      try {
        return await replyOn(socket, text, (error, lost) => failureOf(error, lost, address, signal))
      } catch (error) {
        socket.destroy()
        throw error
      }
    },
    async upgrade(request, firstFrame, signal) {
      const headers = { ...request.headers, Upgrade: sessionProtocol }
      const text = requestText({ ...request, headers, host, connection: 'Upgrade' })
      const socket = open(signal)
      const explain: Explain = (error, lost) => failureOf(error, lost, address, signal)
      try {
        return (await upgradeOn(socket, Buffer.concat([Buffer.from(text), firstFrame]), explain)) ?? (await replyOn(socket, '', explain))
      } catch (error) {
        socket.destroy()
        throw error
      }
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Where an agent is, for messages and for the header Host. */
export function placeOf(address: Address): string {
  if (address.kind === 'socket') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** What the caller is told of an error: what it stands for, or that the connection was lost. */
type Explain = (error: unknown, lost: (error: NodeJS.ErrnoException) => ConnectionError) => unknown

function failureOf(error: unknown, lost: Parameters<Explain>[1], address: Address, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof ConnectionError) return error
  if (!(error instanceof ReplyMalformed)) return lost(error as NodeJS.ErrnoException)
  return new GearError('REPLY_UNEXPECTED', `The answer of ${placeOf(address)} is not HTTP`, { cause: error })
}

/** Sends a request for a session. Undefined when the answer is another one, which then can be read from its beginning. */
async function upgradeOn(socket: Socket, bytes: Buffer, explain: Explain): Promise<Upgraded | undefined> {
  let stage: 'connect' | 'answer' = 'connect'
  socket.once('connect', () => {
    stage = 'answer'
  })
  socket.setTimeout(limits.connectMs, () =>
    socket.destroy(new ConnectionError(stage, `no answer within ${limits.connectMs / 1000} s`, { isTimeout: true })),
  )
  socket.write(bytes)
  try {
    const head = await headOf(socket)
    socket.setTimeout(0)
    const end = head.indexOf(headEnd) + headEnd.length
    if (/^HTTP\/1\.1 101\b/.test(head.toString('latin1', 0, end))) return { socket, head: head.subarray(end) }
    socket.unshift(head)
    return undefined
  } catch (error) {
    throw explain(error, lost => connectionError(stage, lost))
  }
}

const headEnd = '\r\n\r\n'

/** All that has come once the head of an answer has, or too much, or the end. */
function headOf(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let all = Buffer.alloc(0)
    const finish = (settle: () => void): void => {
      socket.off('readable', read).off('error', onError).off('end', onEnd)
      settle()
    }
    const read = (): void => {
      for (let piece = socket.read() as Buffer | null; piece !== null; piece = socket.read() as Buffer | null) {
        all = Buffer.concat([all, piece])
        if (!all.includes(headEnd) && all.length <= limits.headerBytes) continue
        finish(() => resolve(all))
        return
      }
    }
    const onError = (error: Error): void => finish(() => reject(error))
    const onEnd = (): void =>
      finish(() => reject(new ConnectionError('answer', 'the connection was closed before an answer', { code: 'ECONNRESET' })))
    socket.on('readable', read).once('error', onError).once('end', onEnd)
  })
}

/** Sends a request; resolves when the head of its answer is there. */
async function replyOn(socket: Socket, text: string, explain: Explain): Promise<WireReply> {
  let stage: 'connect' | 'answer' = 'connect'
  const late = (limitMs: number) => {
    const what = stage === 'connect' ? 'no connection' : 'no answer'
    return setTimeout(() => socket.destroy(new ConnectionError(stage, `${what} within ${limitMs / 1000} s`, { isTimeout: true })), limitMs)
  }
  let timer = late(limits.connectMs)
  socket.once('connect', () => {
    stage = 'answer'
    clearTimeout(timer)
    timer = late(answerMs)
  })
  socket.write(text)
  const reader = new ReplyReader()
  const received = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  const parts: Buffer[] = []
  try {
    while (reader.head === undefined) {
      const { value } = await received.next()
      if (value === undefined) throw new ConnectionError(stage, 'the connection was closed before an answer', { code: 'ECONNRESET' })
      parts.push(...reader.push(value))
    }
  } catch (error) {
    throw explain(error, lost => connectionError(stage, lost))
  } finally {
    clearTimeout(timer)
  }
  // Nobody needs to read the body of an answer without one.
  if (reader.isComplete) socket.destroy()
  return { ...reader.head, body: bodyOf(reader, parts, received, explain), discard: () => void socket.destroy() }
}

/** The body, read from the connection only as fast as it is taken. */
async function* bodyOf(
  reader: ReplyReader,
  first: readonly Buffer[],
  received: AsyncIterator<Buffer, undefined>,
  explain: Explain,
): AsyncGenerator<Uint8Array> {
  try {
    for (const part of first) yield part
    while (!reader.isComplete) {
      const { value } = await received.next()
      if (value !== undefined) for (const part of reader.push(value)) yield part
      else if (!reader.end()) throw new Error('the connection was closed')
    }
  } catch (error) {
    throw explain(error, ({ code }) => new ConnectionError('answer', 'the connection broke in the middle of the answer', { code }))
  } finally {
    await received.return?.()
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
function connectionError(stage: 'connect' | 'answer', { code, message }: NodeJS.ErrnoException): ConnectionError {
  const words = code === undefined ? undefined : wordsOfCodes.get(code)
  return new ConnectionError(stage, words ?? (message || code || 'unknown trouble'), { code })
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

const privateBytesMax = 1_048_576

/** A text that is for its owner's eyes only. Looks at the file that it has open, so that nobody can put another in its place in between. */
export function readPrivateText(path: string): string {
  const { closeSync, fstatSync, openSync, readFileSync } = process.getBuiltinModule('node:fs')
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const { mode, size } = fstatSync(file)
    // On Windows others are kept out by access lists, of which the mode says nothing: it is 666 for every file.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} is open to others than its owner`)
    if (size > privateBytesMax) throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} has more than ${privateBytesMax} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof GearError) throw cause
    throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} could not be read`, { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
