/**
 * The end of a copy that is on this machine. What comes is unpacked in a folder of its own beside its destination and put in place when it is whole, so that an
 * interrupted copy changes nothing; what goes is read without following links.
 */
import { constants } from 'node:fs'
import { chmod, link, lstat, mkdir, mkdtemp, open, readdir, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { GearError } from '../../api/index.ts'
import { type NewTarEntry, type ReadTarEntry, readTar } from '../../formats/index.ts'
import { UsageError } from '../usage-error.ts'
import type { Destination, Source, Target } from './places.ts'
import { type Action, type Path, Unpacking } from './unpacking.ts'

export interface LeftOut {
  readonly name: string
  readonly why: string
}

/** A source on this machine; a link that is named itself is followed. Throws a UsageError when it is not there. */
export async function lookAtSource(given: string): Promise<Source & { readonly path: string }> {
  const kind = await kindOf(given)
  if (kind === undefined) throw new UsageError(`there is no file or folder ${given}`)
  if (kind === 'other') throw new UsageError(`${given} is neither a file nor a folder`)
  const isContent = /(^|[\\/])\.[\\/]*$/.test(given)
  return { kind, given, path: resolve(given), name: basename(resolve(given)), isContent }
}

/** A destination on this machine, with links followed to what is there. */
export async function lookAtDestination(given: string): Promise<Destination> {
  const kind = await kindOf(given)
  if (kind === 'other') throw new UsageError(`${given} is neither a file nor a folder`)
  const path = kind === undefined ? resolve(given) : await realpath(given)
  const parent = dirname(path)
  if (kind === undefined && (await kindOf(parent)) !== 'folder') throw new UsageError(`there is no folder ${parent}`)
  return { given, path, kind, isFolderMeant: /[\\/]\.?$/.test(given), parent, name: basename(path) }
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    if (error.code === 'ENOTDIR') return undefined
    throw new UsageError(`${path} cannot be read (${error.message})`)
  })
  if (found === undefined) return undefined
  return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'
}

export interface UnpackOptions {
  readonly target: Target
  /** The archive is of a root. */
  readonly isRoot: boolean
  readonly onLeftOut: (left: LeftOut) => void
}

/** Throws what the archive throws; then nothing has changed, unless it is the putting in place that fails. */
export async function unpack(archive: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<void> {
  try {
    await unpackAs(archive, options)
  } catch (error) {
    throw failureOf(error, `copy to ${options.target.folder}`)
  }
}

/** What the system refused, and what the library says of an archive, in gear's words. Everything else as it is. */
export function failureOf(error: unknown, attempted: string): unknown {
  if (!(error instanceof Error) || error instanceof GearError) return error
  if ('syscall' in error) return new GearError('STORAGE_FAILED', `Could not ${attempted}`, { cause: error })
  const isOfLibrary = Object.getPrototypeOf(error) === Error.prototype
  return isOfLibrary ? new GearError('REPLY_UNEXPECTED', `Could not ${attempted}`, { cause: error }) : error
}

async function unpackAs(archive: AsyncIterable<Uint8Array>, { target, isRoot, onLeftOut }: UnpackOptions): Promise<void> {
  const stage = await mkdtemp(join(target.folder, '.gear-cp-'))
  try {
    const root = join(stage, 'copy')
    const plan = new Unpacking({ isRoot, isWindows: process.platform === 'win32' })
    if (isRoot) await mkdir(root)
    for await (const entry of readTar(archive)) {
      const { folders, action } = plan.take(entry)
      for (const folder of folders) await mkdir(join(root, ...folder))
      if (action.kind === 'leaveOut') onLeftOut(action)
      else await carryOut(root, action, entry)
    }
    const final = target.name === undefined ? target.folder : join(target.folder, target.name)
    if ((await kindOf(root)) !== undefined) {
      await settle(root, final, checkFits)
      await settle(root, final, async (from, to) => rename(from, to))
    }
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function carryOut(root: string, action: Exclude<Action, { kind: 'leaveOut' }>, entry: ReadTarEntry): Promise<void> {
  const at = (path: Path): string => join(root, ...path)
  switch (action.kind) {
    case 'folder':
      await mkdir(at(action.path))
      return chmod(at(action.path), action.mode)
    case 'file':
      return writeFile(at(action.path), action.mode, entry)
    case 'link':
      return symlink(action.target, at(action.path))
    case 'same':
      return link(at(action.as), at(action.path))
    case 'nothing':
      return
  }
}

/** The name must be new, so that no link is followed. */
async function writeFile(path: string, mode: number, { bytes, modifiedMs }: ReadTarEntry): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of bytes) await file.writeFile(piece)
    await file.chmod(mode)
    const modified = new Date(modifiedMs)
    if (!Number.isNaN(modified.getTime())) await file.utimes(modified, modified)
  } finally {
    await file.close()
  }
}

type Put = (from: string, to: string) => Promise<void>

/** Puts a copy in place. Folders that are there are filled, everything else is replaced at once. */
async function settle(from: string, to: string, put: Put): Promise<void> {
  const [isFolder, there] = await Promise.all([isRealFolder(from), lstat(to).catch(nothingThere)])
  if (!isFolder || there === undefined || !there.isDirectory()) return put(from, to)
  for (const name of await readdir(from)) await settle(join(from, name), join(to, name), put)
}

async function isRealFolder(path: string): Promise<boolean> {
  return (await lstat(path)).isDirectory()
}

/** A folder and something else never replace each other, and a link to a folder is not taken for one: what it leads to was not named. */
async function checkFits(from: string, to: string): Promise<void> {
  const there = await lstat(to).catch(nothingThere)
  if (there === undefined) return
  if (there.isDirectory()) throw new UsageError(`${to} is a folder, which a file does not replace; nothing was changed`)
  if (await isRealFolder(from)) throw new UsageError(`${to} is no folder, and a folder does not replace it; nothing was changed`)
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

export interface PackOptions {
  /** What the copy is called; undefined for what is in the folder. */
  readonly name: string | undefined
  readonly owner: NewTarEntry['owner']
  readonly onLeftOut: (left: LeftOut) => void
}

/** Entries of a file, or of a folder and all that is in it, in the order of names. */
export async function* entriesOf(source: { readonly path: string }, options: PackOptions): AsyncGenerator<NewTarEntry> {
  const path = await realpath(source.path)
  if (options.name !== undefined) return yield* entriesAt(path, options.name, options)
  for (const name of (await readdir(path)).sort()) yield* entriesAt(join(path, name), name, options)
}

async function* entriesAt(path: string, name: string, options: PackOptions): AsyncGenerator<NewTarEntry> {
  const found = await lstat(path)
  const common = { name, mode: found.mode & 0o777, modifiedMs: found.mtimeMs, size: 0, target: '', owner: options.owner }
  if (found.isSymbolicLink()) yield { ...common, type: 'link', target: await readlink(path) }
  else if (found.isFile()) yield* fileAt(path, { ...common, type: 'file' })
  else if (found.isDirectory()) {
    yield { ...common, name: `${name}/`, type: 'folder' }
    for (const child of (await readdir(path)).sort()) yield* entriesAt(join(path, child), `${name}/${child}`, options)
  } else options.onLeftOut({ name: path, why: 'it is a device, a pipe or a socket' })
}

/** As long as it is when it is opened; what is written to its end meanwhile is not copied. */
async function* fileAt(path: string, entry: NewTarEntry): AsyncGenerator<NewTarEntry> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new UsageError(`${path} was replaced while it was copied`)
    const { size } = found
    const bytes: AsyncIterable<Uint8Array> =
      size === 0 ? nothing() : file.createReadStream({ end: size - 1, autoClose: false, highWaterMark: pieceBytes })
    yield { ...entry, size, bytes }
  } finally {
    await file.close()
  }
}

const pieceBytes = 262_144

async function* nothing(): AsyncGenerator<Uint8Array> {}
