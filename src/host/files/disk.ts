/**
 * The real file system. `write-file-atomic` was looked at and not taken: it follows a symbolic link at the target, leaves the mode to the
 * umask until a second, path-based chmod, opens its temporary file without O_EXCL and keeps a queue in module state.
 *
 * Folders are removed through `/proc/self/fd`, which makes each step relative to a folder held open (what `openat` does in C): the owner of
 * a home folder can not make root delete elsewhere by swapping a folder for a link half-way.
 */
import { constants, type Dirent, type Stats } from 'node:fs'
import {
  chmod,
  type FileHandle,
  link as hardLink,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Rounds } from '../rounds.ts'
import { errnoOf, storageError } from './errors.ts'
import { takeFlock } from './flock.ts'
import { type FileEntry, type Files, type Lock, readBytesMax, unfinishedPrefix } from './port.ts'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** A left-over of a crashed write is older than any write takes. */
const unfinishedStaleMs = 600_000

/** Folders deeper than this below the one that is removed are moved up first, so that few descriptors are open at once. */
const openFoldersMax = 32

/** Names that keep appearing while a folder is removed are given up on after this many rounds. */
const removeRoundsMax = 100

export function diskFiles(): Files {
  let unfinished = 0
  /** Syncs under way by folder: many writers of one folder share one (16 writers get a fifth more done). */
  const syncs = new Map<string, Rounds>()

  /** Calls `make` with a fresh name in the folder of `path` until it is not taken; returns that name. */
  async function makeBeside<Made>(path: string, make: (beside: string) => Promise<Made>): Promise<{ beside: string; made: Made }> {
    for (;;) {
      const beside = join(dirname(path), `${unfinishedPrefix}${process.pid}-${++unfinished}`)
      try {
        return { beside, made: await make(beside) }
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error
      }
    }
  }

  async function write(path: string, text: string, mode: number): Promise<void> {
    const { beside, made: file } = await makeBeside(path, name => open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600))
    try {
      try {
        await writeWhole(file, Buffer.from(text))
        await file.chmod(mode)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(beside, path)
    } catch (error) {
      await removeIfThere(beside)
      throw error
    }
  }

  async function relink(target: string, path: string): Promise<void> {
    const { beside } = await makeBeside(path, name => symlink(target, name))
    try {
      await rename(beside, path)
    } catch (error) {
      await removeIfThere(beside)
      throw error
    }
  }

  async function syncShared(folder: string): Promise<void> {
    const rounds = syncs.get(folder) ?? new Rounds(() => syncFolder(folder))
    syncs.set(folder, rounds)
    try {
      await rounds.join()
    } finally {
      if (rounds.isIdle) syncs.delete(folder)
    }
  }

  return {
    read: (path, maxBytes = readBytesMax) => attempt('read', path, () => read(path, maxBytes)),
    write: (path, text, mode) => attempt('write', path, () => write(path, text, mode)),
    append: (path, text, mode) => attempt('append to', path, () => append(path, text, mode)),
    makeFolder: (path, mode) => attempt('make folder', path, () => makeFolder(path, mode)),
    list: folder => attempt('list', folder, () => list(folder)),
    exists: path => attempt('look at', path, async () => (await lookAt(path)) !== undefined),
    modifiedMs: path => attempt('look at', path, async () => (await lookAt(path))?.mtimeMs),
    readLink: path => attempt('read link', path, () => absentAs(undefined, readlink(path), 'EINVAL')),
    link: (target, path) => attempt('make link', path, () => makeLink(target, path)),
    relink: (target, path) => attempt('make link', path, () => relink(target, path)),
    hardLinkOver: (target, path) => attempt('replace', path, () => hardLinkOver(target, path)),
    remove: path => attempt('remove', path, () => removeIfThere(path)),
    moveFolder: (from, to) => attempt('move', from, () => moveFolder(from, to)),
    removeTree: path => attempt('remove', path, () => removeTree(path)),
    removeEmptyFolder: path => attempt('remove', path, () => removeEmptyFolder(path)),
    syncFolders: async folders => {
      await Promise.all([...new Set(folders)].map(folder => attempt('sync', folder, () => syncShared(folder))))
    },
    lock: path => attempt('lock', path, () => lock(path)),
  }
}

async function read(path: string, maxBytes: number): Promise<string | undefined> {
  // O_NONBLOCK so that a named pipe in the place of a file can not hold a reader up
  const file = await absentAs(undefined, open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  if (file === undefined) return undefined
  try {
    // files of /proc and /sys have no size, so the size is only a first guess
    let buffer = Buffer.allocUnsafe(Math.min((await file.stat()).size, maxBytes) + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
      length += bytesRead
      if (bytesRead === 0) return buffer.toString('utf8', 0, length)
      if (length > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`)
      if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(length * 2 + 4096, maxBytes + 1))
    }
  } finally {
    await file.close()
  }
}

async function append(path: string, text: string, mode: number): Promise<void> {
  const file = await openToAppend(path, mode)
  try {
    const { size } = await file.stat()
    try {
      await writeWhole(file, Buffer.from(text))
    } catch (error) {
      await file.truncate(size)
      throw error
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function openToAppend(path: string, mode: number): Promise<FileHandle> {
  for (;;) {
    const existing = await absentAs(undefined, open(path, O_WRONLY | O_APPEND | O_NOFOLLOW))
    if (existing !== undefined) return existing
    try {
      const made = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      await made.chmod(mode)
      return made
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
}

/** A write that stops short is tried again for the rest, which then names the reason, such as a full disk. */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    offset += (await file.write(bytes, offset)).bytesWritten
  }
}

async function makeFolder(path: string, mode: number): Promise<readonly string[]> {
  try {
    await mkdir(path, mode)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' && dirname(path) !== path) {
      const changed = await makeFolder(dirname(path), mode)
      return [...changed, ...(await makeFolder(path, mode))]
    }
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return []
    throw error
  }
  await chmod(path, mode)
  return [dirname(path)]
}

async function list(folder: string): Promise<readonly FileEntry[]> {
  const entries = await absentAs([], readdir(folder, { withFileTypes: true }))
  return entries
    .filter(entry => !entry.name.startsWith(unfinishedPrefix))
    .map(entry => ({ name: entry.name, kind: kindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function kindOf(entry: Dirent): FileEntry['kind'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

function lookAt(path: string): Promise<Stats | undefined> {
  return absentAs(undefined, lstat(path))
}

async function makeLink(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

async function hardLinkOver(target: string, path: string): Promise<void> {
  const beside = `${target}.replace.tmp`
  try {
    await hardLink(target, beside)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    await removeIfThere(beside) // left by a crash
    await hardLink(target, beside)
  }
  try {
    await rename(beside, path)
  } finally {
    // rename(2) between two names of one file does nothing, so the name beside may still be there
    await removeIfThere(beside)
  }
}

async function moveFolder(from: string, to: string): Promise<boolean> {
  const [node, taken] = [await lookAt(from), await lookAt(to)]
  if (node === undefined || !node.isDirectory() || taken !== undefined) return false
  await rename(from, to)
  return true
}

async function removeIfThere(path: string): Promise<boolean> {
  return absentAs(
    false,
    unlink(path).then(() => true),
  )
}

async function removeTree(path: string): Promise<boolean> {
  const top = await absentAs(undefined, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  if (top === undefined) return removeIfThere(path) // nothing there, or no folder
  try {
    for (let round = 0; round < removeRoundsMax; round++) {
      await emptyFolder(top, { top, depth: 0 })
      if (await rmdirIfEmpty(path)) return true
    }
  } finally {
    await top.close()
  }
  throw new Error('something keeps making files in it')
}

/** Removes what is in an open folder; folders too deep down are moved to the top, for the next round. */
async function emptyFolder(folder: FileHandle, place: { readonly top: FileHandle; readonly depth: number }): Promise<void> {
  for (const name of await readdir(`/proc/self/fd/${folder.fd}`)) {
    const path = `/proc/self/fd/${folder.fd}/${name}`
    try {
      await unlink(path)
      continue
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue
      if (errnoOf(error) !== 'EISDIR') throw error
    }
    if (place.depth >= openFoldersMax) {
      const moved = `/proc/self/fd/${place.top.fd}/${unfinishedPrefix}deep-${(await lstat(path)).ino}`
      await absentAs(undefined, rename(path, moved))
      continue
    }
    const child = await absentAs(undefined, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'ELOOP')
    if (child === undefined) continue // changed meanwhile; the next round sees what it is now
    try {
      await emptyFolder(child, { top: place.top, depth: place.depth + 1 })
    } finally {
      await child.close()
    }
    await rmdirIfEmpty(path)
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  if (await rmdirIfEmpty(path)) return
  const names = await absentAs([], readdir(path))
  if (names.length === 0 || !names.every(name => name.startsWith(unfinishedPrefix))) return
  for (const name of names) {
    const modifiedMs = (await lookAt(join(path, name)))?.mtimeMs
    if (modifiedMs !== undefined && modifiedMs < Date.now() - unfinishedStaleMs) await removeIfThere(join(path, name))
  }
  await rmdirIfEmpty(path)
}

/** True when the name is gone; false when it is a folder with something in it, or no folder. */
async function rmdirIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT') return true
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await absentAs(undefined, open(folder, O_RDONLY | O_DIRECTORY))
  if (handle === undefined) return
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function lock(path: string): Promise<Lock | undefined> {
  const file = await open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    if (await takeFlock(file.fd)) return { path, [Symbol.asyncDispose]: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

/** The result, or `absent` when the path (or a part of it) is not there, or for the further code given. */
async function absentAs<Absent, Found>(absent: Absent, work: Promise<Found>, furtherCode?: string): Promise<Absent | Found> {
  try {
    return await work
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || (code !== undefined && code === furtherCode)) return absent
    throw error
  }
}

async function attempt<Result>(what: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw storageError(what, path, error)
  }
}
