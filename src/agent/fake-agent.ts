/** An agent for tests: real HTTP on a Unix socket of its own, hand-made handlers, a host in memory, a log that can be read. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contract, GearError, type Handlers } from '../api/index.ts'
import { type FakeHost, fakeHost } from '../host/fakes.ts'
import { type Listeners, openListeners } from './listeners.ts'
import type { Log, LogLevel } from './log.ts'
import { type LaneBounds, Lanes } from './queue.ts'
import { type RequestBounds, Requests } from './requests.ts'
import type { Value } from './route.ts'
import { makeApp } from './serve.ts'
import { Sessions } from './sessions.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

export interface FakeAgent extends AsyncDisposable {
  readonly socketPath: string
  readonly host: FakeHost
  readonly requests: Requests<Value>
  readonly listeners: Listeners
  readonly lines: readonly LogLine[]
}

export interface FakeAgentOptions {
  readonly lanes?: LaneBounds
  readonly requests?: RequestBounds
}

export async function startFakeAgent(handlers: Partial<Handlers>, options: FakeAgentOptions = {}): Promise<FakeAgent> {
  const host = fakeHost()
  host.files.put('/etc/group', 'root:x:0:\n')
  const { log, lines } = fakeLog()
  const requests = new Requests<Value>(options.requests)
  const serving = { handlers: withMissing(handlers), log, clock: host.clock, requests, lanes: new Lanes(options.lanes) }
  const app = makeApp(serving)
  const sessions = new Sessions(serving)
  const folder = mkdtempSync(join(tmpdir(), 'gear-agent-'))
  const socketPath = join(folder, 'gear.sock')
  const settings = {
    app,
    sessions,
    host,
    log,
    urls: [],
    socketPath,
    tokenFile: undefined,
    isInsecure: false,
    hostNames: [],
    environment: {},
  }
  const listeners = await openListeners(settings)
  const dispose = async (): Promise<void> => {
    const stopped = requests.stop(new GearError('HOST_UNREACHABLE', 'The agent is being stopped'))
    sessions.stop(new GearError('HOST_UNREACHABLE', 'The agent is being stopped'))
    const closed = listeners.close(1000)
    await host.clock.advance(1000)
    await Promise.all([stopped, closed])
    rmSync(folder, { recursive: true })
  }
  return { socketPath, host, requests, listeners, lines, [Symbol.asyncDispose]: dispose }
}

/** Those that are missing fail with INTERNAL, as a mistake would. */
export function withMissing(handlers: Partial<Handlers>): Readonly<Record<string, unknown>> {
  const missing = async (): Promise<never> => {
    throw new Error('this handler is missing')
  }
  return { ...Object.fromEntries(Object.keys(contract).map(name => [name, missing])), ...handlers }
}

export function fakeLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const line =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields: { ...fields }, message })
    }
  return { log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }, lines }
}

/** An answer as it was on the wire. */
export interface RawAnswer {
  readonly status: string
  /** Name and value as they came. */
  readonly headers: readonly (readonly [string, string])[]
  /** Without the framing of chunks. */
  readonly body: Buffer
}

/** Sends bytes over a connection of its own and reads one answer. */
export async function exchange(socketPath: string, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = createConnection({ path: socketPath })
  try {
    socket.write(bytes)
    return await readAnswer(socket, { isHead: Buffer.from(bytes).subarray(0, 5).toString() === 'HEAD ' })
  } finally {
    socket.destroy()
  }
}

/** Reads one answer; what comes after it is lost. */
export async function readAnswer(socket: Socket, { isHead = false }: { readonly isHead?: boolean } = {}): Promise<RawAnswer> {
  let all = Buffer.alloc(0)
  for await (const chunk of socket) {
    all = Buffer.concat([all, chunk])
    const answer = parseAnswer(all, { isHead, isEnded: false })
    if (answer !== undefined) return answer
  }
  const answer = parseAnswer(all, { isHead, isEnded: true })
  if (answer === undefined) throw new Error(`the answer broke off: ${all}`)
  return answer
}

function parseAnswer(all: Buffer, { isHead, isEnded }: { readonly isHead: boolean; readonly isEnded: boolean }): RawAnswer | undefined {
  const headEnd = all.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [status = '', ...lines] = all.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string): string | undefined => headers.find(([key]) => key.toLowerCase() === name)?.[1]
  const rest = all.subarray(headEnd + 4)
  if (isHead || / (1\d\d|204|304)\b/.test(status)) return { status, headers, body: Buffer.alloc(0) }
  const length = header('content-length')
  if (length !== undefined) return rest.length < Number(length) ? undefined : { status, headers, body: rest.subarray(0, Number(length)) }
  if (header('transfer-encoding') !== 'chunked') return isEnded ? { status, headers, body: rest } : undefined
  const body = unchunk(rest)
  return body === undefined ? undefined : { status, headers, body }
}

function unchunk(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const length = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const next = lineEnd + 2 + length + 2
    if (bytes.length < next) return undefined
    if (length === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = next
  }
}
