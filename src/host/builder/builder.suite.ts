/** What an engine does for builds. The image under test has `/bin/sh` and the user 1000; scripts are told to the fake by `behave`. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Files } from '../files/port.ts'
import { codeOfFailure } from '../suites.ts'
import type { BuildContainer, Builder } from './port.ts'

export interface BuilderUnderTest {
  readonly builder: Builder
  readonly files: Files
  /** A folder of the host, which is there. */
  readonly folder: string
  /** An image with a shell that runs as root, and has the one file `serve` in its folder /app, and the same for user 1000. */
  readonly image: string
  readonly userImage: string
  /** What the script `/work/scripts/NAME` does to the fake. */
  readonly behave: (name: string, does: { readonly exitCode?: number; readonly prints?: string; readonly isUnpacked?: boolean }) => void
}

export function builderSuite(make: () => Promise<BuilderUnderTest>): void {
  let under: BuilderUnderTest
  let builder: Builder
  let count = 0
  const made = new Set<string>()

  beforeEach(async () => {
    under = await make()
    builder = under.builder
  })

  afterEach(async () => {
    await builder.remove([...made])
    made.clear()
  })

  const signal = (): AbortSignal => AbortSignal.timeout(30_000)

  async function container(script: string, more: Partial<BuildContainer> = {}): Promise<string> {
    const name = `gear-suite-${process.pid}-${++count}`
    made.add(name)
    await builder.create({
      name,
      image: under.image,
      command: [`/work/scripts/${script}`],
      workFolder: '/work',
      slice: 'container-small.slice',
      memoryBytes: 134_217_728,
      cpus: 0,
      pids: 100,
      network: 'none',
      ...more,
    })
    return name
  }

  /** A container with a script of this text, owned by the user. */
  async function filled(name: string, text: string, more: Partial<BuildContainer> = {}): Promise<string> {
    const into = await container(name, more)
    await under.files.makeFolder(`${under.folder}/scripts`, 0o755)
    await under.files.write(`${under.folder}/scripts/${name}`, text, 0o755)
    const uid = more.image === under.userImage ? 1000 : 0
    const parts = [{ folder: under.folder, names: ['scripts'] }]
    await builder.put(into, { below: '/work', parts, owner: { uid, gid: uid }, signal: signal() })
    return into
  }

  async function run(name: string): Promise<{ readonly exitCode: number; readonly said: string }> {
    let said = ''
    const say = (text: string): void => {
      said += text
    }
    const { exitCode } = await builder.run(name, { signal: signal(), say })
    return { exitCode, said }
  }

  describe('a folder of an image', () => {
    test('is listed by the names in it', async () => {
      expect(await builder.list(await container('none'), '/app')).toEqual(['serve'])
    })

    test('that is not there has no list', async () => {
      expect(await builder.list(await container('none'), '/nowhere')).toBe(undefined)
    })
  })

  describe('images', () => {
    test('are known by name, with what a build needs of them', async () => {
      expect(await builder.image(under.image)).toMatchObject({ id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), user: '' })
      expect(await builder.image(under.userImage)).toMatchObject({ user: expect.stringContaining('1000') })
      expect(await builder.image('gear.invalid/none')).toBe(undefined)
    })

    test('that are nowhere cannot be pulled', async () => {
      const pull = builder.pull('localhost:1/none', { signal: signal(), say: () => undefined })
      expect(await codeOfFailure(pull)).toBe('ENGINE_FAILED')
    })

    test('that are not there are removed already', async () => {
      expect(await builder.removeImage(`sha256:${'0'.repeat(64)}`)).toBe(true)
    })
  })

  describe('a container', () => {
    test('runs its script to the end, and what that prints is passed on', async () => {
      under.behave('hello', { prints: 'hello\n' })
      expect(await run(await filled('hello', '#!/bin/sh\necho hello\n'))).toEqual({ exitCode: 0, said: 'hello\n' })
    })

    test('ends with the exit code of its script', async () => {
      under.behave('fails', { exitCode: 7 })
      expect((await run(await filled('fails', '#!/bin/sh\nexit 7\n'))).exitCode).toBe(7)
    })

    test('whose script is not there is a failure of the engine', async () => {
      under.behave('missing', { exitCode: -1 })
      expect(await codeOfFailure(run(await container('missing')))).toBe('ENGINE_FAILED')
    })

    test('can do with what it is given as its user', async () => {
      under.behave('as-user', { prints: '1000\n' })
      const name = await filled('as-user', '#!/bin/sh\ntouch /work/scripts/new && id -u\n', { image: under.userImage })
      expect(await run(name)).toEqual({ exitCode: 0, said: '1000\n' })
    })

    test('hands a tar that it prints to another, and passes on anything else', async () => {
      under.behave('tar', { isUnpacked: true })
      under.behave('words', { prints: 'words\n' })
      under.behave('found', { prints: 'taken over\n' })
      const next = await filled('found', '#!/bin/sh\ncat /app/shelf/note\n')
      await under.files.makeFolder(`${under.folder}/app`, 0o755)
      const parts = [{ folder: under.folder, names: ['app'] }]
      await builder.put(next, { below: '/', parts, owner: { uid: 0, gid: 0 }, signal: signal() })
      let said = ''
      const say = (text: string): void => {
        said += text
      }
      const streams = { signal: signal(), say, into: { container: next, folder: '/app', maxBytes: 1_048_576 } }
      const script = '#!/bin/sh\ncd /work && mkdir shelf && echo taken over > shelf/note && tar -cf - shelf\n'
      const tar = await builder.run(await filled('tar', script), streams)
      expect([tar.isUnpacked, said]).toEqual([true, ''])
      const words = await builder.run(await filled('words', '#!/bin/sh\necho words\n'), streams)
      expect([words.isUnpacked, said]).toEqual([false, 'words\n'])
      expect(await run(next)).toEqual({ exitCode: 0, said: 'taken over\n' })
    })

    test('becomes an image, without what was put into it', async () => {
      under.behave('makes', {})
      const name = await filled('makes', '#!/bin/sh\necho made > /made\n')
      await run(name)
      const tag = `gear.invalid/suite-${process.pid}`
      const id = await builder.commit(name, { name: tag, command: ['/bin/start', 'a "b"'], labels: { 'gear.suite': 'yes' } })
      const image = await builder.image(tag)
      expect(image).toMatchObject({ id, command: ['/bin/start', 'a "b"'], user: '' })
      await builder.remove([...made])
      expect(await builder.removeImage(tag)).toBe(true)
    })

    test('that is not there is removed already', async () => {
      await builder.remove(['gear-suite-none', 'gear-suite-neither'])
    })

    test('is removed while it runs, which ends the run', async () => {
      const abort = new AbortController()
      under.behave('endless', { exitCode: Number.NaN })
      const name = await filled('endless', '#!/bin/sh\necho begun; sleep 600\n')
      let said = ''
      const say = (text: string): void => {
        said += text
      }
      const running = builder.run(name, { signal: abort.signal, say })
      await expect.poll(() => said, { timeout: 15_000 }).toBe('begun\n')
      abort.abort(new Error('enough'))
      await expect(running).rejects.toThrow('enough')
      await builder.remove([name])
      expect(await codeOfFailure(builder.run(name, { signal: signal(), say: () => undefined }))).toBe('ENGINE_FAILED')
    })
  })
}
