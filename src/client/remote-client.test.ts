import { describe, expect, it } from 'vitest'
import { GearError, type RequestId } from '../api/index.ts'
import type { Client, TextAnswer } from './client.ts'
import { type FakeServer, type Respond, startFakeServer } from './fake-server.ts'
import { isAgentAbsent, remoteClient } from './remote-client.ts'
import { nextStep, shownCode } from './remote-error.ts'
import { planOf, request } from './request.ts'
import { type Address, ConnectionError, httpTransport, type Transport } from './transport.ts'

const start = request('startContainer', { params: { id: 'web-1' } })
const restart = request('restartContainer', { params: { id: 'web-1' } })
const status = request('containerStatus', { params: { id: 'web-1' } })
const list = request('listContainers', {})
const wait = request('waitContainer', { params: { id: 'web-1' } })

interface Conversation extends AsyncDisposable {
  readonly server: FakeServer
  readonly client: Client
  readonly pausesMs: readonly number[]
}

async function talk(respond: Respond, kind?: Address['kind']): Promise<Conversation> {
  const server = await startFakeServer(respond, kind)
  const { client, pausesMs } = clientOver(httpTransport(server.address))
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  return { server, client, pausesMs, [Symbol.asyncDispose]: dispose }
}

function clientOver(transport: Transport) {
  const pausesMs: number[] = []
  let drawn = 0
  const client = remoteClient({
    transport,
    place: 'node7:43273',
    credentials: { token: 'secret', source: '/root/tokens' },
    newRequestId: () => `request-${++drawn}` as RequestId,
    pause: async waitMs => void pausesMs.push(waitMs),
  })
  return { client, pausesMs }
}

async function textOf({ text }: TextAnswer): Promise<string> {
  let whole = ''
  for await (const piece of text) whole += piece
  return whole
}

async function failureOf(promise: Promise<unknown>): Promise<GearError> {
  return promise.then(
    () => new GearError('INTERNAL', 'it did not fail'),
    error => error,
  )
}

const answerText: Respond = response => response.writeHead(202, { 'Content-Type': 'text/plain' }).end('is starting\n')

describe('what is sent', () => {
  it('has the headers of the original client, a fresh request id and the token', async () => {
    await using conversation = await talk(answerText)
    await textOf(await conversation.client.call(start))
    await textOf(await conversation.client.call(start))
    const [first, second] = conversation.server.received
    expect(first).toMatchObject({ method: 'PUT', url: '/container/web-1/started', body: '' })
    expect(first?.headers).toMatchObject({
      accept: 'application/json;stream=true',
      'x-api-version': '1',
      'x-request-id': 'request-1',
      authorization: 'Bearer secret',
    })
    expect(second?.headers['x-request-id']).toBe('request-2')
  })

  it('asks for the data of a text route with exactly JSON', async () => {
    await using conversation = await talk(response => response.writeHead(406).end())
    await failureOf(conversation.client.call(request('containerStatus', { params: { id: 'web-1' } }, 'data')))
    expect(conversation.server.received[0]?.headers.accept).toBe('application/json')
  })

  it('goes over a Unix socket too', async () => {
    await using conversation = await talk(answerText, 'socket')
    expect(await textOf(await conversation.client.call(start))).toBe('is starting\n')
  })
})

describe('answers', () => {
  it('give side data and text of 202', async () => {
    await using conversation = await talk(response => {
      response.writeHead(202, { 'Content-Type': 'text/plain', 'X-Portmapping': '8080:4000' })
      response.write('one\n')
      response.end('two\n')
    })
    const answer = await conversation.client.call(start)
    expect(answer).toMatchObject({ hasText: true, sideData: { PortMapping: '8080:4000' } })
    expect(await textOf(answer)).toBe('one\ntwo\n')
  })

  it('put characters together that came in two pieces', async () => {
    const bytes = Buffer.from('größe')
    await using conversation = await talk(response => {
      response.writeHead(202, { 'Content-Type': 'text/plain' })
      response.write(bytes.subarray(0, 3), () => response.end(bytes.subarray(3)))
    })
    expect(await textOf(await conversation.client.call(status))).toBe('größe')
  })

  it('tell 204 from text that is empty', async () => {
    await using conversation = await talk(response => response.writeHead(204, { 'X-PortMapping': '80:4000' }).end())
    expect(await conversation.client.call(start)).toMatchObject({ hasText: false, sideData: { PortMapping: '80:4000' } })
  })

  it('give data of 200, with keys in any case', async () => {
    const containers = [{ id: 'web-1', ActiveState: 'active', SubState: 'running', LoadState: 'loaded', Server: '' }]
    await using conversation = await talk(response =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify({ Containers: containers })}\n`),
    )
    expect(await conversation.client.call(list)).toEqual({
      containers: [{ id: 'web-1', activeState: 'active', subState: 'running', loadState: 'loaded' }],
    })
  })

  it('give events one by one, wherever their lines are cut', async () => {
    await using conversation = await talk(response => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      response.write('{"Event":"state","Message":"activating"}\n{"Event":"lo')
      response.end('g","Message":"pulling"}\n\n{"Event":"reached","Message":"runs"}\n')
    })
    const events = []
    for await (const event of await conversation.client.call(wait)) events.push(`${event.event}: ${event.message}`)
    expect(events).toEqual(['state: activating', 'log: pulling', 'reached: runs'])
  })

  it.each([
    ['text that is announced as JSON', 202, 'application/json', '{}', start],
    ['a plain 200 for a text route', 200, 'application/json', '', start],
    ['text for a list', 202, 'text/plain', 'web-1', list],
    ['no data for a list', 204, '', '', list],
    ['a web page', 200, 'text/html', '<html>', list],
    ['broken JSON', 200, 'application/json', '{"Containers":', list],
    ['JSON of another kind', 200, 'application/json', '{"Containers":[{"Id":7}]}', list],
    ['a redirect', 302, 'text/plain', '', list],
  ])('are refused when they are %s', async (_, code, type, body, call) => {
    await using conversation = await talk(response => response.writeHead(code, type === '' ? {} : { 'Content-Type': type }).end(body))
    expect(await failureOf(conversation.client.call(call))).toMatchObject({ code: 'REPLY_UNEXPECTED' })
  })

  it('that break off in the middle are a failure, after what came', async () => {
    await using conversation = await talk(response => {
      response.writeHead(202, { 'Content-Type': 'text/plain' })
      response.write('half', () => response.destroy())
    })
    expect(await failureOf(textOf(await conversation.client.call(status)))).toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: 'The agent of node7:43273 stopped answering',
    })
  })
})

describe('failures', () => {
  async function failWith(statusCode: number, type: string, body: string, headers = {}): Promise<GearError> {
    await using conversation = await talk(response => response.writeHead(statusCode, { 'Content-Type': type, ...headers }).end(body))
    return await failureOf(conversation.client.call(start))
  }

  it('of our agents keep code, message, next step and fields', async () => {
    const body = {
      Message: 'Port 80 is taken',
      Code: 'PORT_TAKEN',
      Next: 'Choose another.',
      Fields: [{ Field: 'Ports[0]', Rule: 'is taken' }],
    }
    const error = await failWith(500, 'application/json', JSON.stringify(body))
    expect(error).toMatchObject({ code: 'PORT_TAKEN', message: 'Port 80 is taken', fields: [{ field: 'Ports[0]', rule: 'is taken' }] })
    expect(nextStep(error)).toBe('Choose another.')
  })

  it('of a newer agent keep a code that is not known here', async () => {
    const error = await failWith(500, 'application/json', '{"Message":"No moon","Code":"MOON_MISSING","Next":"Wait for it."}')
    expect([shownCode(error), nextStep(error)]).toEqual(['MOON_MISSING', 'Wait for it.'])
  })

  it('of an original get the code that their status stands for', async () => {
    expect(await failWith(404, 'application/json', '{"Message":"Not found"}')).toMatchObject({
      code: 'CONTAINER_UNKNOWN',
      message: 'Not found',
    })
    expect(await failWith(400, 'text/plain; charset=utf-8', 'Bad id\n')).toMatchObject({ code: 'INPUT_INVALID', message: 'Bad id' })
    expect(await failWith(404, 'application/json', '{\n  "Error": "Resource not found"\n}')).toMatchObject({ code: 'ROUTE_UNKNOWN' })
    expect(await failWith(405, 'application/json', '{\n  "Error": "Method not allowed"\n}')).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('whose code cannot be known show none', async () => {
    const error = await failWith(500, 'application/json', '{"Message":"Unable to start"}')
    expect([shownCode(error), nextStep(error)]).toEqual([undefined, undefined])
  })

  it('refused before the work have their code in a header', async () => {
    const error = await failWith(401, 'text/plain', 'A token is needed\n', { 'X-Error-Code': 'TOKEN_REQUIRED' })
    expect(error).toMatchObject({
      code: 'TOKEN_REQUIRED',
      message: expect.stringMatching(/^A token is needed \(that for \S+ in \/root\/tokens\)$/),
    })
  })
})

describe('connections that fail', () => {
  it('are repeated with the same request id while nothing was answered', async () => {
    await using conversation = await talk((response, received, count) =>
      count < 3 ? response.destroy() : answerText(response, received, count),
    )
    expect(await textOf(await conversation.client.call(start))).toBe('is starting\n')
    expect(conversation.server.received.map(({ headers }) => headers['x-request-id'])).toEqual(['request-1', 'request-1', 'request-1'])
    expect(conversation.pausesMs).toEqual([100, 500])
  })

  it('are not repeated for what must be done once', async () => {
    await using conversation = await talk(response => response.destroy())
    expect(await failureOf(conversation.client.call(restart))).toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: 'The agent at node7:43273 did not answer',
    })
    expect(conversation.server.received).toHaveLength(1)
  })

  it('end in a failure when they go on breaking', async () => {
    await using conversation = await talk(response => response.destroy())
    expect(await failureOf(conversation.client.call(start))).toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(conversation.server.received).toHaveLength(4)
  })

  it('are not repeated when nobody was there at all', async () => {
    const { client, pausesMs } = clientOver(httpTransport({ kind: 'socket', path: '/nonexistent/gear.sock' }))
    const error = await failureOf(client.call(start))
    expect(error).toMatchObject({ code: 'HOST_UNREACHABLE', message: 'The agent at node7:43273 cannot be reached' })
    expect((error.cause as Error).message).toBe('the socket does not exist')
    expect(isAgentAbsent(error)).toBe(true)
    expect(pausesMs).toEqual([])
  })

  it('are not repeated after a time-out, whose request may still be worked on', async () => {
    let tried = 0
    const { client } = clientOver({
      exchange: async () => {
        tried++
        throw new ConnectionError('answer', 'no answer within 180 s', { isTimeout: true })
      },
      upgrade: () => Promise.reject(new Error('no session')),
      close: () => undefined,
    })
    expect(await failureOf(client.call(start))).toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(tried).toBe(1)
  })

  it('for want of permission are not those of a host that is away', async () => {
    const { client } = clientOver({
      exchange: () => Promise.reject(new ConnectionError('connect', 'permission denied', { code: 'EACCES' })),
      upgrade: () => Promise.reject(new Error('no session')),
      close: () => undefined,
    })
    expect(await failureOf(client.call(start))).toMatchObject({ code: 'CALLER_REFUSED' })
  })
})

describe('an aborted signal', () => {
  it('ends the wait for an answer with its reason', async () => {
    const stop = new AbortController()
    await using conversation = await talk(() => stop.abort(new Error('enough')))
    expect(await failureOf(conversation.client.call(start, { signal: stop.signal }))).toMatchObject({ message: 'enough' })
  })

  it('ends the reading of a text with its reason', async () => {
    const stop = new AbortController()
    await using conversation = await talk(response => response.writeHead(202, { 'Content-Type': 'text/plain' }).write('first\n'))
    const seen: string[] = []
    const { text } = await conversation.client.call(status, { signal: stop.signal })
    const reading = async () => {
      for await (const piece of text) {
        seen.push(piece)
        stop.abort(new Error('enough'))
      }
    }
    expect(await failureOf(reading())).toMatchObject({ message: 'enough' })
    expect(seen).toEqual(['first\n'])
  })
})

describe('a slow reader', () => {
  it('makes the agent wait instead of filling the memory', async () => {
    const piece = 'x'.repeat(65_536)
    let writtenPieces = 0
    await using conversation = await talk(response => {
      response.writeHead(202, { 'Content-Type': 'text/plain' })
      const fill = (): void => {
        while (writtenPieces < 1000) {
          writtenPieces++
          if (!response.write(piece)) {
            response.once('drain', fill)
            return
          }
        }
        response.end()
      }
      fill()
    })
    const { text } = await conversation.client.call(status)
    let sizeBytes = 0
    let writtenAtFirst = 0
    for await (const part of text) {
      if (sizeBytes === 0) {
        // A turn of the event loop for every piece: whoever did not wait would be done by then.
        for (let turn = 0; turn < 1000; turn++) await new Promise(resolve => setImmediate(resolve))
        writtenAtFirst = writtenPieces
      }
      sizeBytes += part.length
    }
    expect(sizeBytes).toBe(65_536_000)
    expect(writtenAtFirst).toBeLessThan(900)
  })
})

describe('a dry run', () => {
  it('is asked for twice, so that no agent passes over it', async () => {
    await using conversation = await talk(response => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"Steps":[{"Kind":"start","On":["x"],"Reason":"why"}]}')
    })
    conversation.server.expectations.push('dry-run')
    expect(await conversation.client.call(planOf(start))).toEqual({ steps: [{ kind: 'start', on: ['x'], reason: 'why' }] })
    const [received] = conversation.server.received
    expect(received).toMatchObject({ url: '/container/web-1/started?dry-run=1', headers: { expect: 'dry-run' } })
  })

  it('is refused by an agent that knows none, before it does anything', async () => {
    await using conversation = await talk(response => void response.writeHead(204).end())
    const error = await conversation.client.call(planOf(start)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DRY_RUN_UNSUPPORTED', message: 'The agent of node7:43273 knows no dry runs' })
    expect(conversation.server.received).toEqual([])
  })
})
