/** An agent's end of the wire for tests: answers what it is told, and remembers what it was sent. On loopback or a Unix socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from './transport.ts'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface FakeServer extends AsyncDisposable {
  readonly address: Address
  readonly received: readonly Received[]
  /** Values of Expect that it meets; it answers 417 to others, as Node does by itself. */
  readonly expectations: string[]
}

/** Runs for each request, which has been read to its end. */
export type Respond = (response: ServerResponse, request: Received, count: number) => void

export async function startFakeServer(respond: Respond, kind: Address['kind'] = 'tcp'): Promise<FakeServer> {
  const received: Received[] = []
  const expectations: string[] = []
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      const whole = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
      received.push(whole)
      respond(response, whole, received.length)
    })
  }
  const server = createServer(serve).on('checkExpectation', (request, response) => {
    if (expectations.includes(request.headers.expect ?? '')) serve(request, response)
    else response.writeHead(417).end()
  })
  const folder = mkdtempSync(join(tmpdir(), 'gear-client-'))
  const path = join(folder, 'gear.sock')
  await new Promise<void>(resolve => {
    if (kind === 'socket') server.listen(path, resolve)
    else server.listen(0, '127.0.0.1', resolve)
  })
  const address: Address = kind === 'socket' ? { kind, path } : { kind, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  return {
    address,
    received,
    expectations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}
