/** What an engine does for gear. Containers and images are made past the port, as helpers and people make them. */
import { beforeEach, describe, expect, test } from 'vitest'
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
    await Promise.all(Array.from({ length: 50 }, () => engine.ping()))
  })
}
