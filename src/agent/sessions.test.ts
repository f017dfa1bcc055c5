import { createConnection } from 'node:net'
import { describe, expect, it } from 'vitest'
import { FrameReader, GearError, type Handlers, printFrame, type Session, type SessionInput, type SessionOutput } from '../api/index.ts'
import { connect, request } from '../client/index.ts'
import { exchange, startFakeAgent } from './fake-agent.ts'

/** A session that gives back its input, until that ends. */
function echo(onClose: () => void = () => undefined): { readonly session: Session; readonly seen: SessionInput[] } {
  const seen: SessionInput[] = []
  let wake = () => {}
  const write = async (input: SessionInput) => {
    seen.push(input)
    wake()
  }
  async function* output(): AsyncGenerator<SessionOutput> {
    for (let at = 0; ; at++) {
      while (seen[at] === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      const input = seen[at]
      if (input?.kind === 'end') break
      if (input?.kind === 'input') yield { kind: 'stdout', bytes: input.bytes }
    }
    yield { kind: 'exit', exitCode: 7 }
  }
  return { session: { output: output(), write, close: onClose }, seen }
}

async function collect(session: Session): Promise<readonly string[]> {
  const got: string[] = []
  for await (const output of session.output)
    got.push(output.kind === 'exit' ? `exit ${output.exitCode}` : Buffer.from(output.bytes).toString())
  return got
}

/** What the last frame says to somebody who has opened a session for a command and then sends this. */
async function failureAfter(socketPath: string, begin: Uint8Array): Promise<unknown> {
  const socket = createConnection({ path: socketPath })
  socket.write('POST /container/web-1/exec HTTP/1.1\r\nHost: gear\r\nConnection: Upgrade\r\nUpgrade: gear-session\r\n\r\n')
  socket.write(begin)
  let all = Buffer.alloc(0)
  for await (const piece of socket) all = Buffer.concat([all, piece])
  const frames = [...new FrameReader().push(all.subarray(all.indexOf('\r\n\r\n') + 4))]
  const last = frames.at(-1)
  expect(last?.kind).toBe('failed')
  return JSON.parse(Buffer.from(last?.payload ?? '').toString())
}

const exec = (command: readonly string[] = ['cat']) =>
  request('execContainer', { params: { id: 'web-1' }, body: { command: [...command] } })

describe('a session', () => {
  it('carries both ways, with its size, to its end', async () => {
    const { session, seen } = echo()
    const bodies: unknown[] = []
    const execContainer: Handlers['execContainer'] = async ({ body, params }) => {
      bodies.push([params.id, body.command])
      return session
    }
    await using agent = await startFakeAgent({ execContainer })
    const client = connect({ kind: 'socket', path: agent.socketPath })
    const opened = await client.open(exec(['cat', '-u']))
    await opened.write({ kind: 'input', bytes: Buffer.from('hello') })
    await opened.write({ kind: 'size', columns: 99, rows: 33 })
    await opened.write({ kind: 'end' })
    expect((await collect(opened)).join('')).toBe('helloexit 7')
    expect(seen).toContainEqual({ kind: 'size', columns: 99, rows: 33 })
    expect(bodies).toEqual([['web-1', ['cat', '-u']]])
    await client.close()
  })

  it('ends with the failure of its handler, in the words of the catalogue', async () => {
    const execContainer = () => Promise.reject(new GearError('CONTAINER_UNKNOWN', 'There is no container web-1'))
    await using agent = await startFakeAgent({ execContainer })
    const client = connect({ kind: 'socket', path: agent.socketPath })
    const opened = await client.open(exec())
    await expect(collect(opened)).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN', message: 'There is no container web-1' })
    await client.close()
  })

  it('tells its failure also to a caller that is sending, whenever it comes', async () => {
    const failing = async (): Promise<Session> => {
      async function* output(): AsyncGenerator<SessionOutput> {
        yield { kind: 'stderr', bytes: Buffer.from('no') }
        throw new GearError('ENGINE_FAILED', 'The disk is full')
      }
      return { output: output(), write: async () => undefined, close: () => undefined }
    }
    for (const execContainer of [failing, () => Promise.reject(new GearError('ENGINE_FAILED', 'The disk is full'))]) {
      await using agent = await startFakeAgent({ execContainer })
      const client = connect({ kind: 'socket', path: agent.socketPath })
      const opened = await client.open(exec())
      const sent = Array.from({ length: 40 }, () => opened.write({ kind: 'input', bytes: Buffer.alloc(262_144) }))
      await expect(collect(opened)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
      opened.close()
      await Promise.all(sent)
      await client.close()
    }
  })

  it('ends at the other end when the caller goes', async () => {
    const closed = Promise.withResolvers<void>()
    await using agent = await startFakeAgent({ execContainer: async () => echo(closed.resolve).session })
    const client = connect({ kind: 'socket', path: agent.socketPath })
    const opened = await client.open(exec())
    await opened.write({ kind: 'input', bytes: Buffer.from('x') })
    for await (const output of opened.output) {
      expect(output.kind).toBe('stdout')
      break
    }
    opened.close()
    await closed.promise
    await client.close()
  })

  it('is not to be had by a call that asks for none', async () => {
    await using agent = await startFakeAgent({})
    const { status, body } = await exchange(
      agent.socketPath,
      'POST /container/web-1/exec HTTP/1.1\r\nHost: gear\r\nContent-Length: 0\r\n\r\n',
    )
    expect(status).toContain('426')
    expect(JSON.parse(body.toString())).toMatchObject({ Code: 'UPGRADE_REQUIRED' })
  })

  it.each([
    ['a path without one', 'POST /container/web-1/nothing', '404'],
    ['another method', 'GET /container/web-1/exec', '405'],
    ['an id that is none', 'POST /container/x/exec', '400'],
  ])('is refused before it opens: %s', async (_, line, expected) => {
    await using agent = await startFakeAgent({})
    const { status } = await exchange(
      agent.socketPath,
      `${line} HTTP/1.1\r\nHost: gear\r\nConnection: Upgrade\r\nUpgrade: gear-session\r\n\r\n`,
    )
    expect(status).toContain(expected)
  })

  it('that begins with nonsense is told so', async () => {
    await using agent = await startFakeAgent({})
    expect(await failureAfter(agent.socketPath, Buffer.from([1, 0, 0, 0, 0]))).toEqual({
      Code: 'INPUT_INVALID',
      Message: 'A session begins with a frame that says what is wanted',
      Next: expect.any(String),
    })
  })

  it('that asks for what is not allowed is told which field is wrong', async () => {
    await using agent = await startFakeAgent({})
    expect(await failureAfter(agent.socketPath, printFrame('begin', JSON.stringify({ Command: [] })))).toMatchObject({
      Code: 'INPUT_INVALID',
      Fields: [{ Field: 'Command[0]', Rule: 'must be a program' }],
    })
  })

  it('is for those whom other calls are for: another upgrade is passed over', async () => {
    await using agent = await startFakeAgent({ getVersion: async () => ({ version: '1', api: '1', engine: 'docker' }) })
    const { status } = await exchange(
      agent.socketPath,
      'GET /version HTTP/1.1\r\nHost: gear\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    )
    expect(status).toContain('200')
  })
})
