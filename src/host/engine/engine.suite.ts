/** What an engine does for gear. Containers and images are made past the port, as helpers and people make them. */
import { beforeEach, describe, expect, test } from 'vitest'
import { GearError } from '../../api/index.ts'
import { type NewTarEntry, printTar, readTar } from '../../formats/index.ts'
import type { Engine } from './port.ts'

export interface EngineUnderTest {
  readonly engine: Engine
  /** Makes a container of `image`. */
  readonly makeContainer: (
    name: string,
    options: { readonly labels: Readonly<Record<string, string>>; readonly isRunning: boolean },
  ) => Promise<void>
  /** A tagged image that is there, in full: `name:tag`. The tag is `latest`. */
  readonly image: string
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  if (text !== '') yield Buffer.from(text)
}

export function engineSuite(make: () => Promise<EngineUnderTest>): void {
  let under: EngineUnderTest
  let engine: Engine
  let count = 0

  beforeEach(async () => {
    under = await make()
    engine = under.engine
  })

  async function made(isRunning: boolean): Promise<string> {
    const name = `suite-${process.pid}-${++count}`
    await under.makeContainer(name, { isRunning, labels: { 'gear.id': name, other: 'x=y z' } })
    return name
  }

  describe('containers', () => {
    test('a running one is known by name and by id', async () => {
      const name = await made(true)
      const container = await engine.container(name)
      expect(container).toMatchObject({ name, isRunning: true, labels: { 'gear.id': name, other: 'x=y z' } })
      expect(container?.id).toMatch(/^[0-9a-f]{64}$/)
      expect(container?.pid).toBeGreaterThan(0)
      expect(container?.imageId).toBe((await engine.image(under.image))?.id)
      expect(await engine.container(container?.id ?? '')).toEqual(container)
      await engine.removeContainer(name, { withVolumes: true })
    })

    test('one that does not run has no process', async () => {
      const name = await made(false)
      expect(await engine.container(name)).toMatchObject({ name, isRunning: false, pid: 0 })
      await engine.removeContainer(name, { withVolumes: true })
    })

    test('one that is not there is undefined', async () => {
      expect(await engine.container('suite-none')).toBeUndefined()
    })

    test('a running one is removed, and again without harm', async () => {
      const name = await made(true)
      await engine.removeContainer(name, { withVolumes: true })
      expect(await engine.container(name)).toBeUndefined()
      await engine.removeContainer(name, { withVolumes: false })
    })

    test('it is gone for all who remove it at once', async () => {
      const name = await made(true)
      const { id = '' } = (await engine.container(name)) ?? {}
      await Promise.all(
        Array.from({ length: 5 }, async () => {
          await engine.removeContainer(id, { withVolumes: true })
          expect(await engine.container(id)).toBeUndefined()
        }),
      )
    })
  })

  describe('files', () => {
    const plain = { mode: 0o644, modifiedMs: 0, size: 0, target: '', owner: { uid: 0, gid: 0 } }
    async function* entries(): AsyncGenerator<NewTarEntry> {
      yield { ...plain, name: 'box/', type: 'folder', mode: 0o755 }
      yield { ...plain, name: 'box/note', type: 'file', size: 6, bytes: pieces('hello\n') }
    }
    const read = async (tar: AsyncIterable<Uint8Array> | undefined) => {
      const found: (readonly string[])[] = []
      for await (const { name, type, bytes } of readTar(tar ?? pieces(''))) {
        let content = ''
        for await (const piece of bytes) content += Buffer.from(piece).toString()
        found.push([name.replace(/\/$/, ''), type, content])
      }
      return found
    }

    test('a folder goes in and out', async () => {
      const name = await made(true)
      expect(await engine.writeFiles(name, '/', printTar(entries()))).toBe(true)
      expect(await engine.fileKind(name, '/box')).toBe('folder')
      expect(await engine.fileKind(name, '/box/note')).toBe('file')
      expect(await engine.fileKind(name, '/')).toBe('folder')
      expect(await read(await engine.readFiles(name, '/box/note'))).toEqual([['note', 'file', 'hello\n']])
      expect(await read(await engine.readFiles(name, '/box'))).toEqual([
        ['box', 'folder', ''],
        ['box/note', 'file', 'hello\n'],
      ])
      await engine.removeContainer(name, { withVolumes: true })
    })

    test('what is not there is told, and a folder is needed to write to', async () => {
      const name = await made(true)
      await engine.writeFiles(name, '/', printTar(entries()))
      expect(await engine.fileKind(name, '/none')).toBeUndefined()
      expect(await engine.fileKind(name, '/box/note/x')).toBeUndefined()
      expect(await engine.readFiles(name, '/none')).toBeUndefined()
      expect(await engine.writeFiles(name, '/none', printTar(entries()))).toBe(false)
      expect(await engine.writeFiles(name, '/box/note', printTar(entries()))).toBe(false)
      await engine.removeContainer(name, { withVolumes: true })
    })

    test('a tar that throws is told as it is, one that is cut off by the engine', async () => {
      const name = await made(true)
      const reason = new GearError('HOST_UNREACHABLE', 'enough')
      async function* broken(): AsyncGenerator<Uint8Array> {
        for await (const piece of printTar(entries())) {
          yield piece.subarray(0, 300)
          throw reason
        }
      }
      await expect(engine.writeFiles(name, '/', broken())).rejects.toBe(reason)
      async function* cut(): AsyncGenerator<Uint8Array> {
        for await (const piece of printTar(entries())) return yield piece.subarray(0, 300)
      }
      await expect(engine.writeFiles(name, '/', cut())).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
      await engine.removeContainer(name, { withVolumes: true })
    })

    test('a copy that nobody wants any more ends', async () => {
      const name = await made(true)
      for await (const _ of (await engine.readFiles(name, '/')) ?? []) break
      const abort = new AbortController()
      await engine.readFiles(name, '/', abort.signal)
      const reason = new Error('not wanted any more')
      abort.abort(reason)
      await expect(engine.readFiles(name, '/', abort.signal)).rejects.toBe(reason)
      await engine.ping()
      await engine.removeContainer(name, { withVolumes: true })
    })
  })

  describe('images', () => {
    test('one is known by its full name, without its tag, and by id', async () => {
      const image = await engine.image(under.image)
      expect(image?.id).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(image?.tags).toContain(under.image)
      expect(await engine.image(under.image.replace(/:latest$/, ''))).toEqual(image)
      expect(await engine.image(image?.id ?? '')).toEqual(image)
    })

    test('one that is not there is undefined', async () => {
      expect(await engine.image('registry.invalid/suite/none:1')).toBeUndefined()
    })

    test('the list has those with a tag', async () => {
      const images = await engine.images()
      expect(images.flatMap(image => image.tags)).toContain(under.image)
      expect(images.every(image => image.tags.length > 0)).toBe(true)
    })
  })

  test('the engine answers, also to many at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => engine.ping()))
  })
}
