/**
 * A program that writes its own HTTP: reads a JSON list of requests from the standard input, sends all of them at once, each over a connection of its own, and
 * prints the list of the answers, in the same order. Run on a lab host, whose agent serves callers of that host only.
 */
import { once } from 'node:events'
import { createConnection } from 'node:net'

export interface OldRequest {
  readonly bytes: string
  /** Closes its side after sending, as socat and `nc -N` do. */
  readonly closes?: boolean
}

/** What came back, and in how many pieces. */
export interface OldAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  /** Milliseconds from sending to the first and the last byte of the body. */
  readonly firstMs: number
  readonly lastMs: number
}

if (import.meta.main) {
  let input = ''
  for await (const piece of process.stdin) input += String(piece)
  process.stdout.write(JSON.stringify(await Promise.all((JSON.parse(input) as readonly OldRequest[]).map(send))))
}

async function send({ bytes, closes = false }: OldRequest): Promise<OldAnswer> {
  const socket = createConnection({ host: '127.0.0.1', port: 43_273, allowHalfOpen: true })
  await once(socket, 'connect')
  const startMs = performance.now()
  if (closes) socket.end(bytes, 'latin1')
  else socket.write(bytes, 'latin1')
  let text = ''
  let firstMs = 0
  for await (const piece of socket) {
    text += String(piece)
    if (firstMs === 0 && /\r\n\r\n./s.test(text)) firstMs = performance.now() - startMs
  }
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n'), firstMs, lastMs: performance.now() - startMs }
}
