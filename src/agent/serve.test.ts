import { Agent as Connections, request as httpRequest, type IncomingMessage } from 'node:http'
import { createConnection } from 'node:net'
import { describe, expect, test } from 'vitest'
import { GearError, type Handlers } from '../api/index.ts'
import { exchange, type FakeAgent, readAnswer, startFakeAgent } from './fake-agent.ts'

const streaming = { Accept: 'application/json;stream=true' }
const id = 'Qm9vbS1ub3QtcmVhbC1pZA'

interface Sent {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The answer as soon as its head is there. */
function open(agent: FakeAgent, { method = 'GET', path, headers = {}, body }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath: agent.socketPath, method, path, headers, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function call(
  agent: FakeAgent,
  sent: Sent,
): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers']; readonly text: string }> {
  const answer = await open(agent, sent)
  let text = ''
  for await (const chunk of answer) text += chunk
  return { status: answer.statusCode ?? 0, headers: answer.headers, text }
}

/** Resolves once the condition holds; tests have a time limit of their own. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

function logOf(pieces: (signal: AbortSignal) => AsyncIterable<string>): Partial<Handlers> {
  return { containerLog: async ({ signal }) => ({ text: pieces(signal) }) }
}

describe('a stream of text', () => {
  test('is sent piece by piece, as it comes', async () => {
    const second = Promise.withResolvers<void>()
    await using agent = await startFakeAgent(
      logOf(async function* () {
        yield 'first\n'
        await second.promise
        yield 'second\n'
      }),
    )
    const answer = await open(agent, { path: '/container/abcd/log' })
    const pieces = answer[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('first\n')
    second.resolve()
    expect(String((await pieces.next()).value)).toBe('second\n')
    expect((await pieces.next()).done).toBe(true)
  })

  test('stops at its source when the caller leaves', async () => {
    let isEnded = false
    await using agent = await startFakeAgent(
      logOf(async function* (signal) {
        yield 'first\n'
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
        isEnded = true
      }),
    )
    const answer = await open(agent, { path: '/container/abcd/log' })
    answer.destroy()
    await until(() => isEnded)
    await until(() => agent.requests.runningCount === 0)
  })

  test('waits at its source for a caller that reads slowly', async () => {
    let given = 0
    await using agent = await startFakeAgent(
      logOf(async function* () {
        for (; given < 100_000; given++) yield 'x'.repeat(1000)
      }),
    )
    const answer = await open(agent, { path: '/container/abcd/log' })
    answer.pause()
    let before = -1
    while (before !== given) {
      before = given
      for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    expect(given).toBeLessThan(5_000)
    answer.destroy()
  })

  test('that ends in a failure ends with a line that says so', async () => {
    await using agent = await startFakeAgent(
      logOf(async function* () {
        yield 'first\n'
        throw new GearError('COMMAND_FAILED', 'journalctl failed', { cause: new Error('exit code 1') })
      }),
    )
    const { status, text } = await call(agent, { path: '/container/abcd/log', headers: streaming })
    expect({ status, text }).toEqual({ status: 202, text: 'first\nError: journalctl failed: exit code 1\n' })
  })

  test('of events ends in an event that says so', async () => {
    await using agent = await startFakeAgent({
      waitContainer: async () =>
        (async function* () {
          yield { event: 'log' as const, message: 'pulling' }
          throw new GearError('START_FAILED', 'It ended with exit code 1')
        })(),
    })
    const { text } = await call(agent, { path: '/container/abcd/wait' })
    const events = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.at(-1)).toMatchObject({ Event: 'failed', Message: 'It ended with exit code 1', Code: 'START_FAILED' })
  })

  test('that a mistake breaks off gives nothing of the mistake away', async () => {
    await using agent = await startFakeAgent(
      logOf(async function* () {
        yield 'first\n'
        throw new TypeError('secret detail')
      }),
    )
    expect((await call(agent, { path: '/container/abcd/log' })).text).toBe(
      'first\nError: The request failed because of a mistake in gear\n',
    )
    expect(JSON.stringify(agent.lines.find(({ level }) => level === 'error'))).toContain('secret detail')
  })
})

test('a log that waits behind another answer of its connection stops when the caller leaves', async () => {
  const gate = Promise.withResolvers<void>()
  let isEnded = false
  await using agent = await startFakeAgent({
    listImages: async () => {
      await gate.promise
      return { text: '' }
    },
    ...logOf(async function* (signal) {
      yield 'first\n'
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      isEnded = true
    }),
  })
  const connection = createConnection({ path: agent.socketPath })
  connection.write('GET /images HTTP/1.1\r\nHost: x\r\n\r\nGET /container/abcd/log HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => agent.requests.runningCount === 2)
  connection.destroy()
  await until(() => isEnded)
  gate.resolve()
  await until(() => agent.requests.runningCount === 0)
})

describe('a file', () => {
  const file = (bytes: () => AsyncIterable<Uint8Array>): Partial<Handlers> => ({
    archiveRepository: async () => ({ bytes: bytes(), mediaType: 'application/zip', fileName: 'shop-main.zip' }),
  })
  const path = '/repository/shop/archive/main'

  test('is sent as it is, byte by byte, with its own type', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await using agent = await startFakeAgent(
      file(async function* () {
        yield all.subarray(0, 100)
        yield all.subarray(100)
      }),
    )
    const answer = await open(agent, { path })
    const pieces: Buffer[] = []
    for await (const piece of answer) pieces.push(piece as Buffer)
    expect(Buffer.concat(pieces).equals(all)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': 'attachment; filename="shop-main.zip"',
    })
  })

  test('that breaks off breaks the connection, since a part of it looks whole', async () => {
    await using agent = await startFakeAgent(
      file(async function* () {
        yield Buffer.from('a part')
        throw new GearError('COMMAND_FAILED', 'git was killed')
      }),
    )
    await expect(call(agent, { path })).rejects.toThrow(/aborted|ECONNRESET|hang up/)
    expect(agent.lines.map(({ message }) => message)).toContain('request failed after its answer began')
    expect(agent.requests.runningCount).toBe(0)
  })

  test('ends at its source when the caller leaves', async () => {
    const left = Promise.withResolvers<void>()
    await using agent = await startFakeAgent(
      file(async function* () {
        try {
          for (;;) yield Buffer.alloc(65_536)
        } finally {
          left.resolve()
        }
      }),
    )
    const answer = await open(agent, { path })
    await answer[Symbol.asyncIterator]().next()
    answer.destroy()
    await left.promise
    await until(() => agent.requests.runningCount === 0)
  })

  test('is not begun for a caller who asks for its head, and made anew for one who repeats a request', async () => {
    let begun = 0
    await using agent = await startFakeAgent(
      file(async function* () {
        begun++
        yield Buffer.from('PK')
      }),
    )
    expect((await call(agent, { method: 'HEAD', path })).headers['content-type']).toBe('application/zip')
    expect(begun).toBe(0)
    const headers = { 'X-Request-Id': id }
    expect([(await call(agent, { path, headers })).text, (await call(agent, { path, headers })).text]).toEqual(['PK', 'PK'])
    expect(begun).toBe(2)
    expect(agent.requests.runningCount).toBe(0)
  })
})

describe('a repeated request', () => {
  const start = { method: 'PUT', path: '/container/abcd/started', headers: { ...streaming, 'X-Request-Id': id } }

  test('joins the first one while it runs, and gets all of its text', async () => {
    const gate = Promise.withResolvers<void>()
    let calls = 0
    await using agent = await startFakeAgent({
      startContainer: async () => {
        calls += 1
        return {
          text: (async function* () {
            yield 'pulling\n'
            await gate.promise
            yield 'started\n'
          })(),
        }
      },
    })
    const first = call(agent, start)
    await until(() => calls === 1)
    const second = call(agent, start)
    gate.resolve()
    expect((await first).text).toBe('pulling\nstarted\n')
    expect((await second).text).toBe('pulling\nstarted\n')
    expect(calls).toBe(1)
  })

  test('finds the work done though its first caller had left', async () => {
    const gate = Promise.withResolvers<void>()
    let calls = 0
    await using agent = await startFakeAgent({
      startContainer: async ({ signal }) => {
        calls += 1
        await gate.promise
        return { text: signal.aborted ? 'given up\n' : 'carried through\n' }
      },
    })
    const connection = createConnection({ path: agent.socketPath })
    connection.write(
      `PUT /container/abcd/started HTTP/1.1\r\nHost: x\r\nAccept: application/json;stream=true\r\nX-Request-Id: ${id}\r\n\r\n`,
    )
    await until(() => calls === 1)
    connection.destroy()
    gate.resolve()
    await until(() => agent.requests.runningCount === 0)
    expect(await call(agent, start)).toMatchObject({ status: 202, text: 'carried through\n', headers: { 'x-request-id': id } })
    expect(calls).toBe(1)
  })

  test('may take another form of the answer', async () => {
    await using agent = await startFakeAgent({ startContainer: async () => ({ text: 'started\n', sideData: { PortMapping: '1:2' } }) })
    expect((await call(agent, start)).status).toBe(202)
    const plain = await call(agent, { ...start, headers: { 'X-Request-Id': id } })
    expect(plain).toMatchObject({ status: 204, text: '', headers: { 'x-portmapping': '1:2' } })
  })

  test('is told when text of the first was not kept', async () => {
    await using agent = await startFakeAgent({
      startContainer: async () => ({
        text: (async function* () {
          for (let line = 0; line < 2000; line++) yield `${'x'.repeat(99)}\n`
        })(),
      }),
    })
    expect((await call(agent, start)).text.length).toBe(200_000)
    const { text } = await call(agent, start)
    const missed = Number(/\n\[(\d+) bytes of this output were not kept\]\n$/.exec(text)?.[1])
    expect(missed).toBeGreaterThan(200_000 - 65_536)
    expect(text.lastIndexOf('[') + missed).toBe(200_000)
  })
})

describe('a full agent', () => {
  test('answers 503 with a time to come again, and the id is still free then', async () => {
    const gate = Promise.withResolvers<void>()
    const wait = async (): Promise<{ readonly text: string }> => {
      await gate.promise
      return { text: 'started\n' }
    }
    await using agent = await startFakeAgent({ startContainer: wait }, { lanes: { jobsRunning: 1, jobsWaiting: 1, streamsRunning: 1 } })
    const held = ['/container/first/started', '/container/second/started'].map(path => call(agent, { method: 'PUT', path }))
    await until(() => agent.requests.runningCount === 2)
    const third = { method: 'PUT', path: '/container/third/started', headers: { ...streaming, 'X-Request-Id': id } }
    const refused = await call(agent, third)
    expect(refused).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', 'x-error-code': 'QUEUE_FULL', 'content-type': 'text/plain; charset=utf-8' },
    })
    gate.resolve()
    await Promise.all(held)
    expect(await call(agent, third)).toMatchObject({ status: 202, text: 'started\n' })
  })

  test('still answers what needs no turn', async () => {
    const gate = Promise.withResolvers<never>()
    await using agent = await startFakeAgent(
      { listImages: () => gate.promise, getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }) },
      { lanes: { jobsRunning: 1, jobsWaiting: 0, streamsRunning: 0 } },
    )
    const held = call(agent, { path: '/images' })
    await until(() => agent.requests.runningCount === 1)
    expect((await call(agent, { path: '/version' })).status).toBe(200)
    gate.reject(new Error('enough'))
    await held
  })

  test('does not run a waiting report whose caller has left', async () => {
    const gate = Promise.withResolvers<void>()
    let reports = 0
    await using agent = await startFakeAgent(
      {
        startContainer: async () => {
          await gate.promise
          return { text: '' }
        },
        containerPorts: async () => {
          reports += 1
          return { ports: [] }
        },
      },
      { lanes: { jobsRunning: 1, jobsWaiting: 5, streamsRunning: 1 } },
    )
    const held = call(agent, { method: 'PUT', path: '/container/abcd/started' })
    await until(() => agent.requests.runningCount === 1)
    const connection = createConnection({ path: agent.socketPath })
    connection.write('GET /container/abcd/ports HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => agent.requests.runningCount === 2)
    connection.destroy()
    await until(() => agent.listeners.openConnections === 1)
    gate.resolve()
    await held
    await until(() => agent.requests.runningCount === 0)
    expect(reports).toBe(0)
  })
})

describe('a mistake in a handler', () => {
  test('fails its own request, is logged with its stack and request id, and nothing else notices', async () => {
    await using agent = await startFakeAgent({
      startContainer: () => {
        throw new TypeError('x is not a function')
      },
      getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }),
    })
    const [broken, fine] = await Promise.all([
      call(agent, { method: 'PUT', path: '/container/abcd/started', headers: { 'X-Request-Id': id } }),
      call(agent, { path: '/version' }),
    ])
    expect([broken.status, fine.status]).toEqual([500, 200])
    expect(broken.text).not.toContain('not a function')
    const mistakes = agent.lines.filter(({ level }) => level === 'error')
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]?.fields).toMatchObject({
      operation: 'startContainer',
      request: id,
      stack: expect.stringContaining('TypeError: x is not a function\n    at '),
    })
  })
})

describe('the log', () => {
  test('has a line per change, and nothing of what its body says', async () => {
    await using agent = await startFakeAgent({ putEnvironment: async () => undefined })
    const body = '{"Variables":[{"Name":"PASSWORD","Value":"hunter2"}]}'
    await call(agent, { method: 'PUT', path: '/environment/shop-env', headers: { 'X-Request-Id': id }, body })
    await call(agent, { method: 'PUT', path: '/environment/shop-env', body: `${body.slice(0, -3)}, "Value": "hunter2"}]}` })
    await call(agent, { method: 'PUT', path: '/environment/shop-env', body: '{"Variables":[{"Name":"A B","Value":"hunter2"}]}' })
    expect(agent.lines.filter(({ level }) => level === 'info')[0]).toEqual({
      level: 'info',
      message: 'request answered',
      fields: { operation: 'putEnvironment', path: '/environment/shop-env', status: 204, ms: 0, request: id },
    })
    expect(JSON.stringify(agent.lines)).not.toContain('hunter2')
  })

  test('of reports is for debugging only', async () => {
    await using agent = await startFakeAgent({ getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }) })
    await call(agent, { path: '/version' })
    await call(agent, { path: '/no/such/path' })
    expect(agent.lines.filter(({ message }) => message === 'request answered').map(({ level }) => level)).toEqual(['debug', 'debug'])
  })
})

describe('connections', () => {
  test('are kept, also over failures and bodies that are too large', async () => {
    await using agent = await startFakeAgent({
      getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }),
      putEnvironment: async () => undefined,
    })
    const connections = new Connections({ keepAlive: true, maxSockets: 1 })
    const statuses = []
    for (const sent of [
      { method: 'GET', path: '/version' },
      { method: 'GET', path: '/nowhere' },
      { method: 'PUT', path: '/environment/shop-env', body: 'x'.repeat(200_000) },
      { method: 'PUT', path: '/environment/shop-env', body: '{}' },
    ]) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = httpRequest({ socketPath: agent.socketPath, method: sent.method, path: sent.path, agent: connections }, resolve)
        request.on('error', reject)
        request.end(sent.body)
      })
      answer.resume()
      await new Promise(resolve => answer.once('end', resolve))
      statuses.push(answer.statusCode)
    }
    connections.destroy()
    expect(statuses).toEqual([200, 404, 413, 204])
  })

  test('whose request is no HTTP are ended', async () => {
    await using agent = await startFakeAgent({})
    expect((await exchange(agent.socketPath, 'hello\r\n\r\n')).status).toBe('HTTP/1.1 400 Bad Request')
  })

  test('with a header that is too large are ended', async () => {
    await using agent = await startFakeAgent({})
    const answer = await exchange(agent.socketPath, `GET /version HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer.status).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  })

  test('with a target that is none get an answer with a code', async () => {
    await using agent = await startFakeAgent({})
    const answer = await exchange(agent.socketPath, 'GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(answer.status).toBe('HTTP/1.1 400 Bad Request')
    expect(answer.headers).toContainEqual(['X-Error-Code', 'INPUT_INVALID'])
  })

  test('may carry several requests at once; answers keep their order', async () => {
    await using agent = await startFakeAgent({ getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }) })
    const socket = createConnection({ path: agent.socketPath })
    socket.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404'])
  })
})

test('HEAD of a stream does not leave its source running', async () => {
  let isEnded = false
  await using agent = await startFakeAgent(
    logOf(async function* (signal) {
      try {
        while (!signal.aborted) {
          yield 'x'.repeat(1000)
          await new Promise(resolve => setImmediate(resolve))
        }
      } finally {
        isEnded = true
      }
    }),
  )
  const socket = createConnection({ path: agent.socketPath })
  socket.write('HEAD /container/abcd/log HTTP/1.1\r\nHost: x\r\n\r\n')
  expect((await readAnswer(socket, { isHead: true })).status).toBe('HTTP/1.1 200 OK')
  await until(() => isEnded)
})

test('at shutdown a log ends with a line that says so', async () => {
  const agent = await startFakeAgent(
    logOf(async function* (signal) {
      yield 'first\n'
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    }),
  )
  const answer = await open(agent, { path: '/container/abcd/log' })
  const pieces = answer[Symbol.asyncIterator]()
  await pieces.next()
  const disposed = agent[Symbol.asyncDispose]()
  expect(String((await pieces.next()).value)).toBe('Error: The agent is being stopped\n')
  expect((await pieces.next()).done).toBe(true)
  await disposed
})

describe('a dry run', () => {
  const steps = [{ kind: 'start', reason: 'a start was asked for', unit: 'ctr-abcd.service' }]

  async function startPlanning() {
    const carriedOut: string[] = []
    const agent = await startFakeAgent({
      startContainer: async ({ dryRun }) => {
        if (dryRun === undefined) carriedOut.push('start')
        dryRun?.add(steps)
        return { text: 'Container abcd is starting\n' }
      },
    })
    return { agent, carriedOut, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() }
  }
  const path = '/container/abcd/started'

  test.each([
    ['dry-run=1', {}],
    ['dry-run', streaming],
    ['dry-run=true', { Expect: 'dry-run', Accept: 'application/json' }],
  ])('answers the plan instead of carrying it out: ?%s', async (query, headers) => {
    await using planning = await startPlanning()
    const answer = await call(planning.agent, { method: 'PUT', path: `${path}?${query}`, headers })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toEqual({
      Steps: [{ Kind: 'start', On: ['ctr-abcd.service'], Reason: 'a start was asked for' }],
    })
    expect(planning.carriedOut).toEqual([])
  })

  test('comes as a table to those who ask for text', async () => {
    await using planning = await startPlanning()
    const { text } = await call(planning.agent, { method: 'PUT', path: `${path}?dry-run=1`, headers: { Accept: 'text/plain' } })
    expect(text).toMatch(/^STEP +ON +REASON\nstart +ctr-abcd.service a start was asked for\n$/)
  })

  test('is none when it is said not to be', async () => {
    await using planning = await startPlanning()
    const { status } = await call(planning.agent, { method: 'PUT', path: `${path}?dry-run=0` })
    expect({ status, carriedOut: planning.carriedOut }).toEqual({ status: 204, carriedOut: ['start'] })
  })

  test.each(['maybe', '2'])('is refused when it cannot be read, and nothing is done: %s', async value => {
    await using planning = await startPlanning()
    const { status, text } = await call(planning.agent, { method: 'PUT', path: `${path}?dry-run=${value}` })
    expect({ status, carriedOut: planning.carriedOut }).toEqual({ status: 400, carriedOut: [] })
    expect(text).toContain('dry-run must be')
  })

  test.each([
    ['an expectation that nobody meets', `${path}?dry-run=1`, 'tea'],
    ['the expectation without the parameter', path, 'dry-run'],
  ])('is not mistaken for %s', async (_, target, expectation) => {
    await using planning = await startPlanning()
    const { status } = await call(planning.agent, { method: 'PUT', path: target, headers: { Expect: expectation } })
    expect({ status, carriedOut: planning.carriedOut }).toEqual({ status: 417, carriedOut: [] })
  })
})
