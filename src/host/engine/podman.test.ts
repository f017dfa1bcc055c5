import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../clock/fake.ts'
import { FakeCommands } from '../commands/fake.ts'
import type { CommandResult } from '../commands/port.ts'
import { FakeFiles } from '../files/fake.ts'
import { codeOfFailure } from '../suites.ts'
import { podmanEngine } from './podman.ts'

const folder = '/var/lib/containers/storage/overlay-containers'
const id = 'ab'.repeat(32)

/** Podman on a host whose storage has an index with these names. */
function made(names: readonly string[], answers: Readonly<Record<string, Partial<CommandResult>>>) {
  const commands = new FakeCommands()
  const files = new FakeFiles(new FakeClock())
  files.put(`${folder}/containers.json`, JSON.stringify(names.map(name => ({ id, names: [name] }))))
  commands.answer('podman', args => {
    if (args[1] === 'info') return { stdout: `${folder}\n` }
    return answers[`${args[1]} ${args[2]}`] ?? { exitCode: 125, stderr: 'Error: no such container\n' }
  })
  return { engine: podmanEngine({ commands, files }), commands, files }
}

const inspected = (name: string) => ({
  stdout: JSON.stringify([
    {
      Id: id,
      Name: name,
      Image: 'cd'.repeat(32),
      State: { Running: true, Pid: 7 },
      Config: { Labels: null },
      HostConfig: { IDMappings: { UidMap: ['0:2147483647:65536'], GidMap: ['0:2147483647:65536'] } },
    },
  ]),
})

describe('podman', () => {
  test('is not asked for a name that its storage does not know', async () => {
    const { engine, commands } = made(['shop'], {})
    expect(await engine.container('web1')).toBeUndefined()
    expect(await engine.container('web2')).toBeUndefined()
    expect(commands.calls.filter(call => call.includes('inspect'))).toEqual([])
    expect(commands.calls.filter(call => call.includes('info'))).toHaveLength(1)
  })

  test('is asked for one that it knows, and when its storage is of another kind', async () => {
    const { engine, files } = made(['shop'], { 'container inspect': inspected('shop') })
    expect(await engine.container('shop')).toEqual({
      id,
      name: 'shop',
      labels: {},
      isRunning: true,
      pid: 7,
      volumes: [],
      imageId: `sha256:${'cd'.repeat(32)}`,
      numbers: [{ inside: 0, outside: 2147483647, count: 65536 }],
    })
    await files.remove(`${folder}/containers.json`)
    expect(await engine.container('shop')).toBeDefined()
  })

  test('is not asked when its storage never held a container', async () => {
    const { engine, commands, files } = made([], {})
    await files.remove(`${folder}/containers.json`)
    files.put(`${folder}/containers.lock`, '')
    expect(await engine.container('web1')).toBeUndefined()
    expect(commands.calls.filter(call => call.includes('inspect'))).toEqual([])
  })

  test('may take the beginning of an id for a name; that is another container', async () => {
    const { engine } = made(['abab'], { 'container inspect': inspected('shop') })
    expect(await engine.container('abab')).toBeUndefined()
  })

  test('lists an image once, with all its tags', async () => {
    const digest = `@sha256:${'ef'.repeat(32)}`
    const { engine } = made([], {
      'images --no-trunc': {
        stdout: `sha256:${id} localhost/shop:1 localhost/shop${digest}\nsha256:${id} quay.io/acme/shop:1 quay.io/acme/shop${digest}\nsha256:${'0'.repeat(64)} <none>:<none> <none>${digest}\n`,
      },
    })
    expect(await engine.images()).toEqual([
      { id: `sha256:${id}`, tags: ['localhost/shop:1', 'quay.io/acme/shop:1'], digests: [`quay.io/acme/shop${digest}`] },
    ])
  })

  test('ends a copy that nobody has begun to take', async () => {
    const { engine, commands } = made(['shop'], {})
    const sleeper = spawn('sleep', ['60'])
    const ended = once(sleeper, 'exit')
    commands.open = () => ({
      pid: sleeper.pid,
      output: (async function* () {
        yield { stream: 'stdout' as const, bytes: Buffer.alloc(512) }
        await ended
      })(),
      exitCode: ended.then(() => 1),
      write: async () => undefined,
      end: () => undefined,
    })
    const abort = new AbortController()
    expect(await engine.readFiles('shop', '/data', abort.signal)).toBeDefined()
    abort.abort()
    expect(await ended).toEqual([null, 'SIGHUP'])
  })

  test('says what went wrong in its own words', async () => {
    const { engine, commands } = made(['shop'], { 'rm --force': { exitCode: 2, stderr: 'Error: it is locked\n' } })
    await expect(engine.removeContainer('shop', { withVolumes: false })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'Could not remove container shop',
      cause: { message: 'it is locked' },
    })
    commands.answer('podman', () => ({ stdout: '<html>' }))
    expect(await codeOfFailure(engine.image('shop'))).toBe('ENGINE_FAILED')
  })

  test('that is not installed, or hangs, is unavailable', async () => {
    const engine = podmanEngine({ commands: new FakeCommands(), files: new FakeFiles(new FakeClock()) })
    expect(await codeOfFailure(engine.ping())).toBe('ENGINE_UNAVAILABLE')
    expect(await codeOfFailure(engine.container('shop'))).toBe('ENGINE_UNAVAILABLE')
  })
})
