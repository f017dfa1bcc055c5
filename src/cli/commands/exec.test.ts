import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type SessionInput, type SessionOutput } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

/** A container whose command says what it was asked, then gives back its input, and ends with 7. */
function container() {
  const asked: unknown[] = []
  const inputs: SessionInput[] = []
  const execContainer: Handlers['execContainer'] = async ({ body }) => {
    asked.push(body)
    const ended = Promise.withResolvers<void>()
    async function* output(): AsyncGenerator<SessionOutput> {
      yield { kind: 'stderr', bytes: Buffer.from('ready\n') }
      await ended.promise
      for (const input of inputs) if (input.kind === 'input') yield { kind: 'stdout', bytes: input.bytes }
      yield { kind: 'exit', exitCode: 7 }
    }
    const write = async (input: SessionInput) => {
      inputs.push(input)
      if (input.kind === 'end') ended.resolve()
    }
    return { output: output(), write, close: () => ended.resolve() }
  }
  return { asked, inputs, hosts: { local: { execContainer }, node7: { execContainer } } }
}

describe('gear exec', () => {
  it('runs the words behind --, with both outputs and the exit code', async () => {
    const { asked, hosts } = container()
    const words = ['exec', 'node7/web-1', '--user', 'root', '--', 'ls', '-la', '--', 'a b']
    expect(await gear(words, { hosts, input: 'not passed' })).toEqual({ out: '', err: 'ready\n', exitCode: 7 })
    expect(asked).toEqual([{ command: ['ls', '-la', '--', 'a b'], terminal: false, input: false, columns: 80, rows: 24, user: 'root' }])
  })

  it('passes the input on when it is asked to', async () => {
    const { hosts } = container()
    expect(await gear('exec -i web-1 -- cat', { hosts, input: 'hello' })).toEqual({ out: 'hello', err: 'ready\n', exitCode: 7 })
  })

  it('gives the command a terminal of the size of this one', async () => {
    const { asked, hosts } = container()
    await gear('exec -it web-1 -- sh', { hosts, isTerminal: true, columns: 99, input: '' })
    expect(asked).toMatchObject([{ terminal: true, input: true, columns: 99, rows: 24 }])
  })

  it.each([
    ['exec', 'gear exec: give a container and a command'],
    ['exec web-1', 'gear exec: give a container and a command'],
    ['exec -t web-1 -- sh', 'gear exec: --tty needs a terminal'],
    ['exec w -- ls', 'Error: id must be 4 to 24 characters'],
    ['shell', 'gear shell: give one container'],
  ])('refuses: gear %s', async (words, message) => {
    const { asked, hosts } = container()
    const { err, exitCode } = await gear(words, { hosts })
    expect(err.slice(0, message.length)).toBe(message)
    expect(exitCode).not.toBe(0)
    expect(asked).toEqual([])
  })

  it('ends with 125 and the reason when it could not be run', async () => {
    const execContainer = () => Promise.reject(new GearError('CONTAINER_NOT_RUNNING', 'Container web-1 does not run'))
    const { err, exitCode } = await gear('exec web-1 -- ls', { hosts: { local: { execContainer } } })
    expect(err).toMatch(/^Error: Container web-1 does not run \[CONTAINER_NOT_RUNNING\]/)
    expect(exitCode).toBe(125)
  })
})

describe('gear shell', () => {
  it('is a login shell, with a terminal where this is one', async () => {
    const { asked, hosts } = container()
    await gear('shell web-1', { hosts, input: '' })
    await gear('shell web-1 --shell /bin/bash', { hosts, isTerminal: true, input: '' })
    expect(asked).toMatchObject([
      { command: ['/bin/sh', '-l'], terminal: false },
      { command: ['/bin/bash', '-l'], terminal: true },
    ])
  })
})
