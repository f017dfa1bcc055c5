/** What a file system does for gear. `base` is an existing empty folder; `modeOf` looks at it past the port. */
import { beforeEach, describe, expect, test } from 'vitest'
import { codeOfFailure } from '../suites.ts'
import type { Files } from './port.ts'

export interface FilesUnderTest {
  readonly files: Files
  readonly base: string
  readonly modeOf: (path: string) => Promise<number | undefined>
  readonly isSameFile: (one: string, other: string) => Promise<boolean>
}

export function filesSuite(make: () => Promise<FilesUnderTest>): void {
  let files: Files
  let base: string
  let under: FilesUnderTest

  beforeEach(async () => {
    under = await make()
    files = under.files
    base = under.base
  })

  describe('reading and writing', () => {
    test('a file has the text and exactly the mode it was written with', async () => {
      await files.write(`${base}/a`, 'hällo\n', 0o664)
      await files.write(`${base}/b`, '', 0o666)
      expect(await files.read(`${base}/a`)).toBe('hällo\n')
      expect(await files.read(`${base}/b`)).toBe('')
      expect(await under.modeOf(`${base}/a`)).toBe(0o664)
      expect(await under.modeOf(`${base}/b`)).toBe(0o666)
    })

    test('writing again replaces text and mode and leaves nothing beside', async () => {
      await files.write(`${base}/a`, 'a long first text', 0o600)
      await files.write(`${base}/a`, 'short', 0o640)
      expect(await files.read(`${base}/a`)).toBe('short')
      expect(await under.modeOf(`${base}/a`)).toBe(0o640)
      expect(await files.list(base)).toEqual([{ name: 'a', kind: 'file' }])
    })

    test('many writes of one file at once leave one of the texts, whole', async () => {
      const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(10_000))
      await Promise.all(texts.map(text => files.write(`${base}/a`, text, 0o644)))
      expect(texts).toContain(await files.read(`${base}/a`))
      expect(await files.list(base)).toHaveLength(1)
    })

    test('what is not there is undefined, also below a file', async () => {
      await files.write(`${base}/a`, '', 0o644)
      expect(await files.read(`${base}/none`)).toBeUndefined()
      expect(await files.read(`${base}/a/none`)).toBeUndefined()
      expect(await files.read(`${base}/none/none`)).toBeUndefined()
    })

    test('more than the given size is refused, just as much is not', async () => {
      await files.write(`${base}/a`, 'x'.repeat(1000), 0o644)
      expect(await files.read(`${base}/a`, 1000)).toHaveLength(1000)
      expect(await codeOfFailure(files.read(`${base}/a`, 999))).toBe('STORAGE_FAILED')
    })

    test('links are not followed: reading one fails, writing replaces it', async () => {
      await files.write(`${base}/precious`, 'precious', 0o644)
      await files.link(`${base}/precious`, `${base}/link`)
      expect(await codeOfFailure(files.read(`${base}/link`))).toBe('STORAGE_FAILED')
      expect(await codeOfFailure(files.append(`${base}/link`, 'more', 0o644))).toBe('STORAGE_FAILED')
      await files.write(`${base}/link`, 'own', 0o644)
      expect(await files.read(`${base}/link`)).toBe('own')
      expect(await files.read(`${base}/precious`)).toBe('precious')
    })

    test('writing into a folder that is not there fails and says where', async () => {
      await expect(files.write(`${base}/none/a`, '', 0o644)).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining(`${base}/none/a`),
      })
    })

    test('writing over a folder fails and leaves nothing beside', async () => {
      await files.makeFolder(`${base}/folder`, 0o755)
      expect(await codeOfFailure(files.write(`${base}/folder`, '', 0o644))).toBe('STORAGE_FAILED')
      expect(await files.list(base)).toHaveLength(1)
    })

    test('appending makes the file with its mode, then adds to it and leaves the mode', async () => {
      await files.append(`${base}/a`, 'one\n', 0o660)
      await files.append(`${base}/a`, 'two\n', 0o600)
      expect(await files.read(`${base}/a`)).toBe('one\ntwo\n')
      expect(await under.modeOf(`${base}/a`)).toBe(0o660)
    })

    test('the time of a change is known', async () => {
      await files.write(`${base}/a`, '', 0o644)
      expect(await files.modifiedMs(`${base}/a`)).toBeGreaterThan(0)
      expect(await files.modifiedMs(`${base}/none`)).toBeUndefined()
    })
  })

  describe('folders', () => {
    test('parents are made with the same mode, and those that changed are told', async () => {
      expect(await files.makeFolder(`${base}/a/b/c`, 0o770)).toEqual([base, `${base}/a`, `${base}/a/b`])
      for (const folder of ['a', 'a/b', 'a/b/c']) expect(await under.modeOf(`${base}/${folder}`)).toBe(0o770)
    })

    test('an existing folder keeps its mode', async () => {
      await files.makeFolder(`${base}/a`, 0o775)
      expect(await files.makeFolder(`${base}/a`, 0o700)).toEqual([])
      expect(await under.modeOf(`${base}/a`)).toBe(0o775)
    })

    test('making one folder many times at once succeeds', async () => {
      await Promise.all(Array.from({ length: 10 }, () => files.makeFolder(`${base}/a/b`, 0o775)))
      expect(await under.modeOf(`${base}/a/b`)).toBe(0o775)
    })

    test('a link to a folder will do for a folder', async () => {
      await files.makeFolder(`${base}/elsewhere`, 0o755)
      await files.link(`${base}/elsewhere`, `${base}/a`)
      expect(await files.makeFolder(`${base}/a/b`, 0o755)).toEqual([`${base}/a`])
      expect(await files.list(`${base}/a`)).toEqual([{ name: 'b', kind: 'directory' }])
    })

    test('a file in the place of a folder is a failure', async () => {
      await files.write(`${base}/a`, '', 0o644)
      expect(await codeOfFailure(files.makeFolder(`${base}/a`, 0o755))).toBe('STORAGE_FAILED')
    })

    test('a list is sorted, tells kinds and leaves unfinished writes out', async () => {
      await files.makeFolder(`${base}/c`, 0o755)
      await files.link('nowhere', `${base}/b`)
      await files.write(`${base}/a`, '', 0o644)
      await files.write(`${base}/.gear-tmp-99-1`, 'left by a crash', 0o600)
      expect(await files.list(base)).toEqual([
        { name: 'a', kind: 'file' },
        { name: 'b', kind: 'link' },
        { name: 'c', kind: 'directory' },
      ])
      expect(await files.list(`${base}/none`)).toEqual([])
    })

    test('only an empty folder is removed as an empty one', async () => {
      await files.makeFolder(`${base}/full/empty`, 0o755)
      await files.write(`${base}/file`, '', 0o644)
      for (const name of ['full', 'file', 'none', 'file/none']) await files.removeEmptyFolder(`${base}/${name}`)
      expect(await files.exists(`${base}/full/empty`)).toBe(true)
      expect(await files.exists(`${base}/file`)).toBe(true)
      await files.removeEmptyFolder(`${base}/full/empty`)
      expect(await files.exists(`${base}/full/empty`)).toBe(false)
    })

    test('a tree is removed with all in it, but not what links in it lead to', async () => {
      await files.makeFolder(`${base}/precious`, 0o755)
      await files.write(`${base}/precious/a`, 'precious', 0o644)
      await files.makeFolder(`${base}/tree/a/b`, 0o755)
      await files.write(`${base}/tree/a/b/c`, '', 0o400)
      await files.link(`${base}/precious`, `${base}/tree/link`)
      expect(await files.removeTree(`${base}/tree`)).toBe(true)
      expect(await files.exists(`${base}/tree`)).toBe(false)
      expect(await files.read(`${base}/precious/a`)).toBe('precious')
      expect(await files.removeTree(`${base}/tree`)).toBe(false)
    })

    test('removing the tree of a link removes the link', async () => {
      await files.makeFolder(`${base}/precious`, 0o755)
      await files.link(`${base}/precious`, `${base}/link`)
      expect(await files.removeTree(`${base}/link`)).toBe(true)
      expect(await files.list(base)).toEqual([{ name: 'precious', kind: 'directory' }])
    })

    test('a very deep tree is removed', async () => {
      const deep = `${base}/tree${'/d'.repeat(150)}`
      await files.makeFolder(deep, 0o755)
      await files.write(`${deep}/a`, '', 0o644)
      expect(await files.removeTree(`${base}/tree`)).toBe(true)
      expect(await files.list(base)).toEqual([])
    })

    test('folders are synced, missing ones too', async () => {
      await files.syncFolders([base, base, `${base}/none`])
    })
  })

  describe('links and removal', () => {
    test('a link tells its target; what is no link has none', async () => {
      await files.write(`${base}/file`, '', 0o644)
      expect(await files.link('some/where', `${base}/link`)).toBe(true)
      expect(await files.readLink(`${base}/link`)).toBe('some/where')
      expect(await files.readLink(`${base}/file`)).toBeUndefined()
      expect(await files.readLink(`${base}/none`)).toBeUndefined()
    })

    test('a link does not replace anything', async () => {
      await files.link('first', `${base}/link`)
      expect(await files.link('second', `${base}/link`)).toBe(false)
      expect(await files.readLink(`${base}/link`)).toBe('first')
    })

    test('relinking replaces', async () => {
      await files.relink('first', `${base}/link`)
      await files.relink('second', `${base}/link`)
      expect(await files.readLink(`${base}/link`)).toBe('second')
      expect(await files.list(base)).toHaveLength(1)
    })

    test('a link that leads nowhere is there', async () => {
      await files.link('nowhere', `${base}/link`)
      expect(await files.exists(`${base}/link`)).toBe(true)
      expect(await files.exists(`${base}/nowhere`)).toBe(false)
    })

    test('a hard link replaces what was there and is the same file', async () => {
      await files.write(`${base}/old`, 'old', 0o644)
      await files.write(`${base}/new`, 'new', 0o664)
      await files.hardLinkOver(`${base}/old`, `${base}/name`)
      await files.hardLinkOver(`${base}/new`, `${base}/name`)
      expect(await files.read(`${base}/name`)).toBe('new')
      expect(await files.read(`${base}/old`)).toBe('old')
      expect(await under.isSameFile(`${base}/new`, `${base}/name`)).toBe(true)
    })

    test('a hard link over itself leaves nothing beside', async () => {
      await files.write(`${base}/a`, 'text', 0o644)
      await files.hardLinkOver(`${base}/a`, `${base}/name`)
      await files.hardLinkOver(`${base}/a`, `${base}/name`)
      expect((await files.list(base)).map(entry => entry.name)).toEqual(['a', 'name'])
    })

    test('a name that a crash left beside does not stop a hard link', async () => {
      await files.write(`${base}/a`, 'text', 0o644)
      await files.write(`${base}/a.replace.tmp`, 'left over', 0o644)
      await files.hardLinkOver(`${base}/a`, `${base}/name`)
      expect(await files.read(`${base}/name`)).toBe('text')
    })

    test('a folder gets another name, whole, unless that is taken', async () => {
      await files.makeFolder(`${base}/folder/inner`, 0o755)
      await files.write(`${base}/folder/inner/a`, 'text', 0o644)
      expect(await files.moveFolder(`${base}/folder`, `${base}/moved`)).toBe(true)
      expect(await files.read(`${base}/moved/inner/a`)).toBe('text')
      expect(await files.exists(`${base}/folder`)).toBe(false)
      await files.makeFolder(`${base}/folder`, 0o755)
      expect(await files.moveFolder(`${base}/folder`, `${base}/moved`)).toBe(false)
      expect(await files.moveFolder(`${base}/none`, `${base}/other`)).toBe(false)
    })

    test('removing tells whether there was something, and refuses folders', async () => {
      await files.write(`${base}/a`, '', 0o644)
      expect(await files.remove(`${base}/a`)).toBe(true)
      expect(await files.remove(`${base}/a`)).toBe(false)
      expect(await files.remove(`${base}/none/a`)).toBe(false)
      await files.makeFolder(`${base}/folder`, 0o755)
      expect(await codeOfFailure(files.remove(`${base}/folder`))).toBe('STORAGE_FAILED')
    })
  })

  describe('locks', () => {
    test('a lock is held by one at a time', async () => {
      const lock = await files.lock(`${base}/lock`)
      expect(lock).toBeDefined()
      expect(await under.modeOf(`${base}/lock`)).toBe(0o600)
      expect(await files.lock(`${base}/lock`)).toBeUndefined()
      await lock?.[Symbol.asyncDispose]()
      const again = await files.lock(`${base}/lock`)
      expect(again).toBeDefined()
      await again?.[Symbol.asyncDispose]()
    })
  })
}
