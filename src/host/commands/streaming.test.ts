import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stream } from './streaming.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gear-streaming-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A command behind the one tool that runs any. */
const running = (...command: readonly string[]) =>
  ({ tool: 'flock', args: [join(folder, command.join(' ').replaceAll('/', '')), ...command] }) as const

describe('the output of a tool', () => {
  const expected = { headBytes: 2, isExpected: (head: Buffer) => head.toString() === 'y\n' || head[0] === 0 }

  test('goes to who takes it, or is passed on', async () => {
    let [taken, passed] = ['', '']
    const take = async (bytes: AsyncIterable<Buffer>): Promise<void> => {
      for await (const piece of bytes) taken += piece.toString('latin1')
    }
    const onStdout = (text: string): void => {
      passed += text
    }
    const zeros = await stream({ ...running('/usr/bin/head', '-c', '300000', '/dev/zero'), onStdout, output: { ...expected, take } })
    expect([zeros.exitCode, zeros.isTaken, taken.length, passed]).toEqual([0, true, 300_000, ''])
    const words = await stream({ ...running('/usr/bin/echo', 'words'), onStdout, output: { ...expected, take } })
    expect([words.exitCode, words.isTaken, taken.length, passed]).toEqual([0, false, 300_000, 'words\n'])
  })

  test('that cannot be taken ends the tool, and says why', async () => {
    const take = async (bytes: AsyncIterable<Buffer>): Promise<void> => {
      for await (const _ of bytes) throw new Error('there is no room')
    }
    const isExpected = (): boolean => true
    await expect(stream({ ...running('/usr/bin/yes'), output: { headBytes: 2, isExpected, take } })).rejects.toThrow('there is no room')
  })

  test('is read to its end when only its beginning was wanted', async () => {
    const take = async (bytes: AsyncIterable<Buffer>): Promise<void> => {
      for await (const _ of bytes) return
    }
    const { exitCode, isTaken } = await stream({ ...running('/usr/bin/head', '-c', '3000000', '/dev/zero'), output: { ...expected, take } })
    expect([exitCode, isTaken]).toEqual([0, true])
  })
})

describe('the input of a tool', () => {
  test('may be pieces from here', async () => {
    let printed = ''
    const onStdout = (text: string): void => {
      printed += text
    }
    const input = (async function* () {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    })()
    await stream({ ...running('/usr/bin/cat'), input, onStdout })
    expect(printed).toBe('one two')
  })
})
