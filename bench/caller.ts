/** Calls over HTTP on loopback, one number of connections for all of a caller's calls, each timed from being sent to its last byte. */
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly ms: number
}

export interface Call {
  readonly method: string
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Given up, as a broken connection, when it takes longer. */
  readonly limitMs?: number
}

export class Caller implements Disposable {
  readonly #agent: Agent
  readonly #port: number

  /** `fresh`: a new connection for every call, as curl and the command line make them. */
  constructor(port: number, connections: number | 'fresh' = 1) {
    this.#port = port
    this.#agent = new Agent(connections === 'fresh' ? { keepAlive: false } : { keepAlive: true, maxSockets: connections })
  }

  /** Any status is an answer; only a broken connection rejects. */
  call({ method, path, body, headers = {}, limitMs }: Call): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const bodyHeaders = bytes === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': bytes.length }
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers: { ...headers, ...bodyHeaders } }
      const sentMs = performance.now()
      const outgoing = request(options, incoming => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const ms = performance.now() - sentMs
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString(), ms })
        })
      })
      outgoing.on('error', reject)
      if (limitMs !== undefined) outgoing.setTimeout(limitMs, () => outgoing.destroy(new Error(`no answer in ${limitMs} ms`)))
      outgoing.end(bytes)
    })
  }

  /** A call that has to succeed. */
  async do(call: Call): Promise<Answer> {
    const answer = await this.call(call)
    if (answer.status >= 300) throw new Error(`${call.method} ${call.path} was answered ${answer.status}: ${answer.body}`)
    return answer
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
