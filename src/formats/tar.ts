/**
 * Tar archives as they come and go, entry by entry. What is read may be made by anybody: names and links are text, which whoever unpacks them has to
 * look at. The library is loaded when there is an archive (docs/decisions/0081-copying.md).
 */

export type TarType = 'file' | 'folder' | 'link' | 'same' | 'other'

export interface TarEntry {
  /** As it is in the archive. */
  readonly name: string
  /** `link`: a symbolic one. `same`: another name of a file that came before. `other`: devices and pipes. */
  readonly type: TarType
  /** Permissions with everything that is beside them. */
  readonly mode: number
  readonly modifiedMs: number
  /** Bytes of a file. */
  readonly size: number
  /** Where a link leads, or the name of the file that this is. */
  readonly target: string
}

export interface ReadTarEntry extends TarEntry {
  /** To be read before the next entry is asked for, or not at all. */
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface NewTarEntry extends TarEntry {
  readonly owner: { readonly uid: number; readonly gid: number }
  /** Of a file: exactly as many bytes as its size says. */
  readonly bytes?: AsyncIterable<Uint8Array>
}

const typesByName: ReadonlyMap<string, TarType> = new Map([
  ['file', 'file'],
  ['directory', 'folder'],
  ['symlink', 'link'],
  ['link', 'same'],
])
const namesByType = { file: 'file', folder: 'directory', link: 'symlink', same: 'link' } as const

/** The entries of an archive. Throws when it is damaged or cut off; leaving the loop ends the source. */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<ReadTarEntry> {
  const { createTarDecoder } = await import('modern-tar')
  const entries = ReadableStream.from(archive).pipeThrough(createTarDecoder({ strict: true }))
  for await (const { header, body } of entries) {
    yield {
      name: header.name,
      type: typesByName.get(header.type ?? 'file') ?? 'other',
      mode: header.mode ?? 0,
      modifiedMs: header.mtime?.getTime() ?? 0,
      size: header.size,
      target: header.linkname ?? '',
      bytes: body,
    }
    if (!body.locked) await body.cancel()
  }
}

/** The first entry; the rest of the archive is left unread. */
export async function firstTarEntry(archive: AsyncIterable<Uint8Array>): Promise<TarEntry | undefined> {
  for await (const entry of readTar(archive)) return entry
  return undefined
}

/** An archive of entries, made as fast as it is taken. Throws what the entries throw, and when a file is not as long as it says. */
export async function* printTar(entries: AsyncIterable<NewTarEntry>): AsyncGenerator<Uint8Array> {
  const { createTarPacker } = await import('modern-tar')
  const { readable, controller } = createTarPacker()
  const filled = fill(entries, controller).catch((error: unknown) => controller.error(error))
  yield* readable
  await filled
}

/**
 * The same archive with other owners: `ownerOf` says which number stands for one in it, of a user or a group. Their names, which are those of whoever made
 * the archive, are left out. Throws as `readTar` does; leaving the loop ends the source.
 */
export async function* withOwners(archive: AsyncIterable<Uint8Array>, ownerOf: (number: number) => number): AsyncGenerator<Uint8Array> {
  const { createTarDecoder, createTarPacker } = await import('modern-tar')
  const { readable, controller } = createTarPacker()
  const pass = async (): Promise<void> => {
    for await (const { header, body } of ReadableStream.from(archive).pipeThrough(createTarDecoder({ strict: true }))) {
      const { uid: _uid, gid: _gid, uname: _uname, gname: _gname, ...pax } = header.pax ?? {}
      const owner = { uid: ownerOf(header.uid ?? 0), gid: ownerOf(header.gid ?? 0), uname: '', gname: '' }
      await body.pipeTo(controller.add({ ...header, ...owner, pax }))
    }
    controller.finalize()
  }
  const passed = pass().catch((error: unknown) => controller.error(error))
  yield* readable
  await passed
}

type Packer = ReturnType<typeof import('modern-tar').createTarPacker>['controller']

async function fill(entries: AsyncIterable<NewTarEntry>, packer: Packer): Promise<void> {
  for await (const { name, type, mode, modifiedMs, size, target, owner, bytes } of entries) {
    if (type === 'other') throw new TypeError(`${name} is nothing that an archive is made with`)
    const writer = packer
      .add({ name, type: namesByType[type], mode, mtime: new Date(modifiedMs), size, linkname: target, ...owner })
      .getWriter()
    for await (const piece of bytes ?? []) await writer.write(piece)
    await writer.close()
  }
  packer.finalize()
}
