import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { GearError } from '../api/index.ts'
import { ConnectionError, httpTransport, type WireReply } from './transport.ts'

const get = { method: 'GET', target: '/images', headers: {}, payload: undefined }

/** Calls a server that is told what to do with each connection once it has been sent something. */
async function call<Value>(
  answer: (socket: Socket, count: number) => void,
  use: (exchange: (signal?: AbortSignal) => Promise<WireReply>) => Promise<Value>,
) {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', () => answer(socket, ++count))
  })
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { readonly port: number }).port))
  })
  const transport = httpTransport({ kind: 'tcp', host: '127.0.0.1', port })
  try {
    return await use(signal => transport.exchange(get, signal))
  } finally {
    transport.close()
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
}

async function bodyOf({ body }: WireReply): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    error => error,
  )

describe('an exchange', () => {
  it('has a connection of its own, which both sides are done with at its end', async () => {
    const closed: number[] = []
    const text = await call(
      (socket, count) => {
        socket.on('close', () => closed.push(count))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncall ${count}`)
      },
      async exchange => `${await bodyOf(await exchange())}, ${await bodyOf(await exchange())}`,
    )
    expect(text).toBe('call 1, call 2')
    expect(closed).toContain(1)
  })

  it('ends with what had come when the connection ends, where nothing else says how long it is', async () => {
    expect(
      await call(
        socket => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'),
        async exchange => bodyOf(await exchange()),
      ),
    ).toBe('hello')
  })

  it.each([
    ['before its head', 'HTTP/1.1 2', 'the connection was closed before an answer'],
    ['before its body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 'the connection broke in the middle of the answer'],
  ])('that is cut off %s was broken off', async (_, text, message) => {
    const error = await failureOf(
      call(
        socket => socket.end(text),
        async exchange => bodyOf(await exchange()),
      ),
    )
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ stage: 'answer', message })
  })

  it.each([
    ['head', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n'],
  ])('whose %s is not HTTP is told apart from one that was broken off', async (_, text) => {
    const error = await failureOf(
      call(
        socket => socket.write(text),
        async exchange => bodyOf(await exchange()),
      ),
    )
    expect(error).toBeInstanceOf(GearError)
    expect(error).toMatchObject({ code: 'REPLY_UNEXPECTED', message: expect.stringMatching(/^The answer of 127.0.0.1:\d+ is not HTTP$/) })
  })

  it('that is left early or never read closes its connection', async () => {
    const big = `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`
    let closed = Promise.withResolvers<void>()
    const answer = (socket: Socket) => {
      socket.on('close', () => closed.resolve())
      socket.write(big)
    }
    await call(answer, async exchange => {
      for await (const piece of (await exchange()).body) {
        expect(piece.length).toBeGreaterThan(0)
        break
      }
      await closed.promise
      closed = Promise.withResolvers<void>()
      const { discard } = await exchange()
      discard()
      await closed.promise
    })
  })

  it('does not begin when nobody waits for it', async () => {
    const error = await failureOf(
      call(
        () => expect.unreachable(),
        exchange => exchange(AbortSignal.abort(new Error('enough'))),
      ),
    )
    expect(error).toMatchObject({ message: 'enough' })
  })
})
