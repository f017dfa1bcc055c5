/**
 * One exchange of HTTP/1.1 as bytes: the request to send and the reading of its answer, for connections that carry one exchange each. Pure: the
 * bytes come and go elsewhere. Why this is not `node:http` is in docs/decisions/0005-client-http-over-net.md.
 */
import { limits } from '../api/index.ts'

export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Of the agent, as the header Host has it. */
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly payload: string | undefined
  /** What becomes of the connection; `close` unless said otherwise. */
  readonly connection?: 'close' | 'Upgrade'
}

/** The whole request. Throws for what would end a line too early. */
export function requestText({ method, target, host, headers, payload, connection = 'close' }: RequestHead): string {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...bodyHeaders(method, payload),
    `Connection: ${connection}`,
  ]
  const broken = lines.find(line => !/^[\t\x20-\x7e]*$/.test(line))
  if (broken !== undefined || /\s/.test(target)) throw new Error(`a request must not have the line ${JSON.stringify(broken ?? target)}`)
  return `${lines.join('\r\n')}\r\n\r\n${payload ?? ''}`
}

/** A body that is absent is said to be so where there could be one. */
function bodyHeaders(method: string, payload: string | undefined): readonly string[] {
  if (payload !== undefined) return ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(payload)}`]
  return method === 'GET' || method === 'DELETE' ? [] : ['Content-Length: 0']
}

/** What came is not HTTP/1.1, or a part of it that is not needed between gear and its agents. */
export class ReplyMalformed extends Error {
  override readonly name = 'ReplyMalformed'
}

export interface ReplyHead {
  readonly status: number
  /** Lower-case names; the values of a repeated one are joined with commas. */
  readonly headers: Readonly<Record<string, string>>
}

type Phase = 'status' | 'header' | 'body' | 'chunk-size' | 'chunk-end' | 'trailer' | 'complete'

/** Reads one answer. Strict: what could be understood in two ways is refused, and so is a head or a line without end. */
export class ReplyReader {
  #phase: Phase = 'status'
  /** The beginning of a line whose end has not come. */
  #line = ''
  #lineBytesLeft: number = limits.headerBytes
  #isVersion10 = false
  #status = 0
  #headers = emptyHeaders()
  /** Of the body, or of the present chunk; infinite where the end of the connection is the end of the body. */
  #bodyBytesLeft = Number.POSITIVE_INFINITY
  #isChunked = false

  /** Undefined until it is whole. Interim answers (1xx) are passed over. */
  get head(): ReplyHead | undefined {
    return this.#phase === 'status' || this.#phase === 'header' ? undefined : { status: this.#status, headers: this.#headers }
  }

  /** What comes after it is ignored. */
  get isComplete(): boolean {
    return this.#phase === 'complete'
  }

  /** Takes the next bytes; answers the parts of the body that are in them. */
  push(bytes: Buffer): readonly Buffer[] {
    const parts: Buffer[] = []
    let at = 0
    while (at < bytes.length && this.#phase !== 'complete') {
      if (this.#phase === 'body') {
        const part = bytes.subarray(at, at + this.#bodyBytesLeft)
        parts.push(part)
        at += part.length
        this.#bodyBytesLeft -= part.length
        if (this.#bodyBytesLeft === 0) this.#phase = this.#isChunked ? 'chunk-end' : 'complete'
      } else {
        const lineEnd = bytes.indexOf(0x0a, at)
        const end = lineEnd < 0 ? bytes.length : lineEnd + 1
        this.#takeText(bytes.toString('latin1', at, end))
        at = end
      }
    }
    return parts
  }

  /** The other side sends no more. Answers whether the answer is complete now. */
  end(): boolean {
    if (this.#phase === 'body' && this.#bodyBytesLeft === Number.POSITIVE_INFINITY) this.#phase = 'complete'
    return this.isComplete
  }

  #takeText(text: string): void {
    this.#lineBytesLeft -= text.length
    if (this.#lineBytesLeft < 0) throw new ReplyMalformed(`more than ${limits.headerBytes} bytes of headers`)
    this.#line += text
    if (!this.#line.endsWith('\n')) return
    const line = this.#line.slice(0, -2)
    if (!this.#line.endsWith('\r\n') || /[^\t\x20-\x7e\x80-\xff]/.test(line))
      throw new ReplyMalformed(`the line ${quotedStart(this.#line)}`)
    this.#line = ''
    this.#takeLine(line)
  }

  #takeLine(line: string): void {
    switch (this.#phase) {
      case 'status':
        this.#takeStatus(line)
        break
      case 'header':
        if (line === '') this.#endHead()
        else this.#takeHeader(line)
        break
      case 'chunk-size':
        this.#takeChunkSize(line)
        break
      case 'chunk-end':
        if (line !== '') throw new ReplyMalformed('a chunk that is longer than its size')
        this.#lineBytesLeft = limits.headerBytes
        this.#phase = 'chunk-size'
        break
      case 'trailer':
        if (line === '') this.#phase = 'complete'
        else fieldOf(line)
        break
    }
  }

  #takeStatus(line: string): void {
    const [, minor, status] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/.exec(line) ?? []
    if (status === undefined) throw new ReplyMalformed(`the status line ${quotedStart(line)}`)
    this.#isVersion10 = minor === '0'
    this.#status = Number(status)
    this.#headers = emptyHeaders()
    this.#phase = 'header'
  }

  #takeHeader(line: string): void {
    const [name, value] = fieldOf(line)
    const former = this.#headers[name]
    this.#headers[name] = former === undefined ? value : `${former}, ${value}`
  }

  #endHead(): void {
    if (this.#status === 101) throw new ReplyMalformed('a change of protocol, which nobody asked for')
    if (this.#status < 200) this.#phase = 'status'
    else if (this.#status === 204 || this.#status === 304) this.#phase = 'complete'
    else this.#beginBody()
  }

  #beginBody(): void {
    const coding = this.#headers['transfer-encoding']
    const length = this.#headers['content-length']
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined || this.#isVersion10) {
        throw new ReplyMalformed(`the transfer encoding ${quotedStart(coding)}`)
      }
      this.#isChunked = true
      this.#lineBytesLeft = limits.headerBytes
      this.#phase = 'chunk-size'
      return
    }
    if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new ReplyMalformed(`the length ${quotedStart(length)}`)
      this.#bodyBytesLeft = Number(length)
    }
    this.#phase = this.#bodyBytesLeft === 0 ? 'complete' : 'body'
  }

  #takeChunkSize(line: string): void {
    const [, digits] = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;.*)?$/.exec(line) ?? []
    if (digits === undefined) throw new ReplyMalformed(`the chunk size ${quotedStart(line)}`)
    this.#bodyBytesLeft = Number.parseInt(digits, 16)
    this.#phase = this.#bodyBytesLeft === 0 ? 'trailer' : 'body'
  }
}

/** No name is special in it, not even `__proto__`. */
function emptyHeaders(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new ReplyMalformed(`the header ${quotedStart(line)}`)
  return [name.toLowerCase(), line.slice(colon + 1).trim()]
}

/** As much of foreign text as fits in a message, with nothing in it that would move a cursor. */
function quotedStart(text: string): string {
  return JSON.stringify(text.slice(0, 60)).replaceAll(/[^\x20-\x7e]/g, '?')
}
