import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diskFiles } from '../files/disk.ts'
import type { Lock } from '../files/port.ts'
import { codeOfFailure } from '../suites.ts'
import { commandsSuite } from './commands.suite.ts'
import { FakeCommands } from './fake.ts'
import { processCommands } from './process.ts'

describe('fake commands', () => {
  commandsSuite(() => {
    const commands = new FakeCommands()
    commands.answer('flock', ([option]) =>
      option === '--version'
        ? { stdout: 'flock from util-linux 2.38.1' }
        : { exitCode: 64, stderr: `flock: unrecognized option '${option}'` },
    )
    return commands
  })

  test('a tool that nobody prepared is missing', async () => {
    expect(await codeOfFailure(new FakeCommands().run('docker', ['info']))).toBe('COMMAND_FAILED')
  })
})

describe('commands as processes', () => {
  commandsSuite(() => processCommands())

  let folder = ''
  let taken: Lock | undefined
  /** Arguments with which `flock` waits for ever. */
  let endless: readonly string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gear-commands-'))
    taken = await diskFiles().lock(join(folder, 'lock'))
    endless = [join(folder, 'lock'), '/usr/bin/true']
  })

  afterAll(async () => {
    await taken?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  test('a tool that takes too long is killed', async () => {
    const commands = processCommands({ runMs: 30, outputBytes: 1000 })
    await expect(commands.run('flock', endless)).rejects.toMatchObject({ code: 'COMMAND_FAILED', cause: { message: /longer than 30 ms/ } })
  })

  test('a tool that prints too much is killed', async () => {
    const commands = processCommands({ runMs: 10_000, outputBytes: 10 })
    expect(await codeOfFailure(commands.run('flock', ['--help']))).toBe('COMMAND_FAILED')
  })

  test('a tool that left a child behind with its output is not waited for when its time is up', async () => {
    const commands = processCommands({ runMs: 30, outputBytes: 1000 })
    expect(await codeOfFailure(commands.run('flock', [join(folder, 'other'), '/usr/bin/sleep', '1']))).toBe('COMMAND_FAILED')
  })

  test('an abort kills the tool', async () => {
    const abort = new AbortController()
    const run = processCommands().run('flock', endless, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(run).rejects.toThrow('enough')
  })

  test('one whose output nobody reads to its end does no harm', async () => {
    const child = processCommands().open('flock', [join(folder, 'fourth'), '/usr/bin/yes'])
    const pieces = child.output[Symbol.asyncIterator]()
    await pieces.next()
    await pieces.return?.()
    expect(await child.exitCode).toBeGreaterThan(0)
  })

  test('tools see nothing of our environment', async () => {
    const { stdout } = await processCommands().run('flock', [join(folder, 'third'), '/usr/bin/env'])
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual(['COLUMNS=2000', 'LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'])
  })
})
