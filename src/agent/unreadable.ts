/** What Node could not read as a request of HTTP/1.1, and the answer that it gets before its connection is closed. */
import { limits } from '../api/index.ts'

/** Most time for all of a request. */
export const requestMs = 30_000

/** What the parser says of a request that it could not read. */
export interface Unread {
  readonly code?: string
  readonly reason?: string
  readonly rawPacket?: Buffer
}

/** Node reads CONNECT, and hands over the connection in place of a request. */
export const connectMethod: Unread = { code: 'HPE_INVALID_METHOD', rawPacket: Buffer.from('CONNECT host HTTP/1.1\r\n') }

/** By Node's words and those of its parser (llhttp). */
const refusals: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `The header must have at most ${limits.headerBytes} bytes`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'The extensions of the chunks are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', `The request did not come within ${requestMs / 1000} s`],
}

/** A request line with a method that is none of those that Node knows. */
const requestLine = /^[A-Za-z][A-Za-z0-9_-]* \S+ HTTP\/1\.[01]\r?\n/

/** The answer as bytes: why, in the forms of others that were refused before any work. */
export function refusalOf({ code = '', reason, rawPacket }: Unread): string {
  const isMethod = code === 'HPE_INVALID_METHOD' && requestLine.test(rawPacket?.subarray(0, limits.headerBytes).toString('latin1') ?? '')
  const [status, text] = isMethod
    ? ['405 Method Not Allowed', 'There is no such method']
    : (refusals[code] ?? ['400 Bad Request', `The request is not one of HTTP/1.1${reason === undefined ? '' : `: ${reason}`}`])
  const body = isMethod ? JSON.stringify({ Error: text }, undefined, 2) : `${text}\n`
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${isMethod ? 'application/json' : 'text/plain; charset=utf-8'}`,
    ...(isMethod ? ['Allow: GET, HEAD, PUT, POST, PATCH, DELETE'] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
