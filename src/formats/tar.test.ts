import { describe, expect, it } from 'vitest'
import { firstTarEntry, type NewTarEntry, printTar, readTar, withOwners } from './tar.ts'

const plain = { mode: 0o644, modifiedMs: 1_700_000_000_000, size: 0, target: '', owner: { uid: 5, gid: 6 } } as const

/** Each time from the beginning. */
function from<Item>(...items: readonly Item[]): AsyncIterable<Item> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* items
    },
  }
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

const archiveOf = (...entries: readonly NewTarEntry[]) => bytesOf(printTar(from(...entries)))
const long = `deep/${'x'.repeat(300)}/äöü\n`
const entries: readonly NewTarEntry[] = [
  { ...plain, name: 'deep/', type: 'folder', mode: 0o755 },
  { ...plain, name: long, type: 'file', size: 10, bytes: from(Buffer.from('hello'), Buffer.from('world')) },
  { ...plain, name: 'deep/empty', type: 'file' },
  { ...plain, name: 'deep/link', type: 'link', target: '../elsewhere' },
  { ...plain, name: 'deep/same', type: 'same', target: 'deep/empty' },
]

describe('an archive', () => {
  it('comes out as it went in, however it is cut into pieces', async () => {
    const archive = await archiveOf(...entries)
    async function* inPieces(length: number): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < archive.length; at += length) yield archive.subarray(at, at + length)
    }
    for (const length of [100, 512, archive.length]) {
      const found: object[] = []
      for await (const { bytes, ...entry } of readTar(inPieces(length)))
        found.push({ ...entry, content: (await bytesOf(bytes)).toString() })
      expect(found).toEqual(
        entries.map(({ owner: _owner, bytes: _bytes, ...entry }) => ({ ...entry, content: entry.size === 0 ? '' : 'helloworld' })),
      )
    }
  })

  it('can be given to other owners, and else stays as it is', async () => {
    const large = entries.map(entry => ({ ...entry, owner: { uid: 2_147_483_652, gid: 2_147_483_653 } }))
    expect(await bytesOf(withOwners(from(await archiveOf(...large)), number => number - 2_147_483_647))).toEqual(
      await archiveOf(...entries),
    )
  })

  it('that is given to others ends with its reader, and its reader with it', async () => {
    let isEnded = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1e6)
      } finally {
        isEnded = true
      }
    }
    const endlessFile = printTar(from({ ...plain, name: 'a', type: 'file' as const, size: 1e12, bytes: endless() }))
    for await (const _ of withOwners(endlessFile, number => number)) break
    await expect.poll(() => isEnded).toBe(true)
    const archive = await archiveOf(...entries)
    await expect(bytesOf(withOwners(from(archive.subarray(0, 3000)), number => number))).rejects.toThrow()
  })

  it('may be read without the files in it', async () => {
    const names: string[] = []
    for await (const { name } of readTar(
      from(await archiveOf({ ...plain, name: 'a', type: 'file', size: 2, bytes: from(Buffer.from('ab')) }, ...entries)),
    ))
      names.push(name)
    expect(names).toHaveLength(6)
  })

  it('tells its first entry and ends its source', async () => {
    let isEnded = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield await archiveOf(...entries)
        for (;;) yield Buffer.alloc(512)
      } finally {
        isEnded = true
      }
    }
    expect(await firstTarEntry(endless())).toMatchObject({ name: 'deep/', type: 'folder' })
    expect(isEnded).toBe(true)
  })

  it('that is cut off or damaged is refused', async () => {
    const archive = await archiveOf(...entries)
    for (const broken of [archive.subarray(0, 3000), archive.subarray(0, archive.length - 1024), Buffer.alloc(2048, 'x')]) {
      await expect(bytesOfAll(from(broken))).rejects.toThrow()
    }
  })

  it('is not made with a file that is shorter or longer than it says, or that cannot be read', async () => {
    const file = { ...plain, name: 'a', type: 'file', size: 5 } as const
    await expect(archiveOf({ ...file, bytes: from(Buffer.from('abcd')) })).rejects.toThrow(/Size mismatch/)
    await expect(archiveOf({ ...file, bytes: from(Buffer.from('abcdef')) })).rejects.toThrow(/exceeds/)
    async function* unreadable(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab')
      throw new Error('no disk')
    }
    await expect(archiveOf({ ...file, bytes: unreadable() })).rejects.toThrow('no disk')
  })
})

async function bytesOfAll(archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const { bytes } of readTar(archive)) await bytesOf(bytes)
}
