/**
 * A file system in memory with what gear relies on: modes, symbolic and hard links, folders that have to be there, times that never stand
 * still between two writes, locks, and the difference between what is visible and what would survive a power cut.
 */
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../clock/port.ts'
import { Faults } from '../faults.ts'
import { storageError } from './errors.ts'
import { type FileEntry, type Files, type Lock, readBytesMax, unfinishedPrefix } from './port.ts'

interface FakeFile {
  readonly kind: 'file'
  text: string
  readonly mode: number
  modifiedMs: number
}

interface FakeLink {
  readonly kind: 'link'
  readonly target: string
  readonly modifiedMs: number
}

interface FakeFolder {
  readonly kind: 'directory'
  readonly mode: number
  modifiedMs: number
  readonly entries: Map<string, FakeNode>
  /** The entries that were there at the last sync. */
  synced: ReadonlyMap<string, FakeNode>
}

type FakeNode = FakeFile | FakeLink | FakeFolder

type Operation = keyof Files

/** Operations that need room on the disk. */
const growing: ReadonlySet<Operation> = new Set(['write', 'append', 'makeFolder', 'link', 'relink', 'hardLinkOver', 'moveFolder'])
const changing: ReadonlySet<Operation> = new Set([...growing, 'remove', 'removeTree', 'removeEmptyFolder', 'syncFolders'])

const linksFollowedMax = 40

export class FakeFiles extends Faults<Operation> implements Files {
  readonly #clock: Clock
  #root = newFolder(0o755, 0)
  #lastMs = 0
  readonly #locks = new Set<string>()
  #failure: { afterChanges: number; readonly code: string } | undefined

  constructor(clock: Clock) {
    super()
    this.#clock = clock
  }

  /** Lets this many more changes pass; all later ones fail with the code (with ENOSPC and EDQUOT, those that need room), until `heal`. */
  failAfter(changes: number, code: string): void {
    this.#failure = { afterChanges: changes, code }
  }

  override heal(): void {
    super.heal()
    this.#failure = undefined
  }

  /** A power cut at its worst: of every folder, only what was there at its last sync is still there. Locks are gone. */
  crash(): void {
    revert(this.#root)
    this.#locks.clear()
  }

  /** Puts a file there, with the folders above it, all of it synced: how a test arranges a disk. */
  put(path: string, text: string, mode = 0o644): void {
    this.#putFolder(dirname(path)).entries.set(basename(path), { kind: 'file', text, mode, modifiedMs: this.#tick() })
    markSynced(this.#root)
  }

  putLink(target: string, path: string): void {
    this.#putFolder(dirname(path)).entries.set(basename(path), { kind: 'link', target, modifiedMs: this.#tick() })
    markSynced(this.#root)
  }

  /** Makes or replaces a link as another program would: nothing is counted, nothing is synced. */
  placeLink(target: string, path: string): void {
    this.#set(this.#putFolder(dirname(path)), path, { kind: 'link', target, modifiedMs: this.#tick() })
  }

  putFolder(path: string, mode = 0o755): void {
    this.#putFolder(path, mode)
    markSynced(this.#root)
  }

  modeOf(path: string): number | undefined {
    const node = this.#lookAt(path)
    return node === undefined || node.kind === 'link' ? undefined : node.mode
  }

  /** Whether two paths are names of one file. */
  isSameFile(one: string, other: string): boolean {
    const node = this.#lookAt(one)
    return node !== undefined && node === this.#lookAt(other)
  }

  /** Every path below the folder with its text, `-> target` or `/`: for comparing whole trees. */
  tree(folder = '/'): Readonly<Record<string, string>> {
    const found: Record<string, string> = {}
    const visit = (path: string, node: FakeNode | undefined): void => {
      if (node?.kind === 'file') found[path] = node.text
      else if (node?.kind === 'link') found[path] = `-> ${node.target}`
      else if (node !== undefined) {
        if (node.entries.size === 0) found[path] = '/'
        for (const name of [...node.entries.keys()].sort()) visit(join(path, name), node.entries.get(name))
      }
    }
    visit(folder, this.#lookAt(folder))
    return found
  }

  /** The text and time of what a path leads to through links, and where that is: what systemd sees when it loads a unit. */
  follow(path: string): { readonly path: string; readonly text: string; readonly modifiedMs: number } | undefined {
    for (let followed = 0; followed < linksFollowedMax; followed++) {
      if (path === '/dev/null') return { path, text: '', modifiedMs: 0 }
      const node = this.#lookAt(path)
      if (node?.kind === 'file') return { path, text: node.text, modifiedMs: node.modifiedMs }
      if (node?.kind !== 'link') return undefined
      path = join(node.target.startsWith('/') ? '/' : dirname(path), node.target)
    }
    return undefined
  }

  read(path: string, maxBytes = readBytesMax): Promise<string | undefined> {
    return this.#do('read', path, () => {
      const node = this.#lookAt(path)
      if (node === undefined) return undefined
      if (node.kind === 'link') throw systemError('ELOOP')
      if (node.kind === 'directory') throw systemError('EISDIR')
      if (Buffer.byteLength(node.text) > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`)
      return node.text
    })
  }

  write(path: string, text: string, mode: number): Promise<void> {
    return this.#do('write', path, () => {
      const folder = this.#folderOf(path)
      if (folder.entries.get(basename(path))?.kind === 'directory') throw systemError('EISDIR')
      this.#set(folder, path, { kind: 'file', text, mode, modifiedMs: this.#tick() })
    })
  }

  append(path: string, text: string, mode: number): Promise<void> {
    return this.#do('append', path, () => {
      const folder = this.#folderOf(path)
      const node = folder.entries.get(basename(path))
      if (node === undefined) return this.#set(folder, path, { kind: 'file', text, mode, modifiedMs: this.#tick() })
      if (node.kind === 'link') throw systemError('ELOOP')
      if (node.kind === 'directory') throw systemError('EISDIR')
      node.text += text
      node.modifiedMs = this.#tick()
    })
  }

  makeFolder(path: string, mode: number): Promise<readonly string[]> {
    return this.#do('makeFolder', path, () => {
      const changed: string[] = []
      const make = (folder: string): void => {
        const there = this.#resolve(folder)
        if (there?.kind === 'directory') return
        if (there !== undefined || this.#lookAt(folder) !== undefined) throw systemError('EEXIST')
        make(dirname(folder))
        this.#set(this.#folderOf(folder), folder, newFolder(mode, this.#tick()))
        changed.push(dirname(folder))
      }
      make(path)
      return changed
    })
  }

  list(folder: string): Promise<readonly FileEntry[]> {
    return this.#do('list', folder, () => {
      const node = this.#resolve(folder)
      if (node?.kind !== 'directory') return []
      return [...node.entries]
        .filter(([name]) => !name.startsWith(unfinishedPrefix))
        .map(([name, entry]) => ({ name, kind: entry.kind }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  exists(path: string): Promise<boolean> {
    return this.#do('exists', path, () => this.#lookAt(path) !== undefined)
  }

  modifiedMs(path: string): Promise<number | undefined> {
    return this.#do('modifiedMs', path, () => this.#lookAt(path)?.modifiedMs)
  }

  readLink(path: string): Promise<string | undefined> {
    return this.#do('readLink', path, () => {
      const node = this.#lookAt(path)
      return node?.kind === 'link' ? node.target : undefined
    })
  }

  link(target: string, path: string): Promise<boolean> {
    return this.#do('link', path, () => {
      const folder = this.#folderOf(path)
      if (folder.entries.has(basename(path))) return false
      this.#set(folder, path, { kind: 'link', target, modifiedMs: this.#tick() })
      return true
    })
  }

  relink(target: string, path: string): Promise<void> {
    return this.#do('relink', path, () => {
      const folder = this.#folderOf(path)
      if (folder.entries.get(basename(path))?.kind === 'directory') throw systemError('EISDIR')
      this.#set(folder, path, { kind: 'link', target, modifiedMs: this.#tick() })
    })
  }

  hardLinkOver(target: string, path: string): Promise<void> {
    return this.#do('hardLinkOver', path, () => {
      const node = this.#lookAt(target)
      if (node === undefined) throw systemError('ENOENT')
      if (node.kind === 'directory') throw systemError('EPERM')
      const folder = this.#folderOf(path)
      if (folder.entries.get(basename(path))?.kind === 'directory') throw systemError('EISDIR')
      this.#set(folder, path, node)
    })
  }

  moveFolder(from: string, to: string): Promise<boolean> {
    return this.#do('moveFolder', from, () => {
      const node = this.#lookAt(from)
      const folder = this.#folderOf(to)
      if (node?.kind !== 'directory' || folder.entries.has(basename(to))) return false
      this.#unset(from)
      this.#set(folder, to, node)
      return true
    })
  }

  remove(path: string): Promise<boolean> {
    return this.#do('remove', path, () => {
      const node = this.#lookAt(path)
      if (node?.kind === 'directory') throw systemError('EISDIR')
      return this.#unset(path)
    })
  }

  removeTree(path: string): Promise<boolean> {
    return this.#do('removeTree', path, () => this.#unset(path))
  }

  removeEmptyFolder(path: string): Promise<void> {
    return this.#do('removeEmptyFolder', path, () => {
      const node = this.#lookAt(path)
      if (node?.kind === 'directory' && node.entries.size === 0) this.#unset(path)
    })
  }

  async syncFolders(folders: Iterable<string>): Promise<void> {
    for (const path of new Set(folders)) {
      await this.#do('syncFolders', path, () => {
        const folder = this.#resolve(path)
        if (folder?.kind === 'directory') folder.synced = new Map(folder.entries)
      })
    }
  }

  lock(path: string): Promise<Lock | undefined> {
    return this.#do('lock', path, () => {
      const folder = this.#folderOf(path)
      if (!folder.entries.has(basename(path))) this.#set(folder, path, { kind: 'file', text: '', mode: 0o600, modifiedMs: this.#tick() })
      if (this.#locks.has(path)) return undefined
      this.#locks.add(path)
      return {
        path,
        [Symbol.asyncDispose]: async () => {
          this.#locks.delete(path)
        },
      }
    })
  }

  async #do<Result>(operation: Operation, path: string, work: () => Result): Promise<Result> {
    await this.meet(operation, path)
    try {
      this.#meetFailure(operation)
      return work()
    } catch (error) {
      throw storageError(operation, path, error)
    }
  }

  #meetFailure(operation: Operation): void {
    if (this.#failure === undefined || !changing.has(operation)) return
    if (this.#failure.afterChanges > 0) {
      this.#failure.afterChanges--
      return
    }
    const { code } = this.#failure
    if ((code === 'ENOSPC' || code === 'EDQUOT') && !growing.has(operation)) return
    throw systemError(code)
  }

  /** Two changes never have one time, which real file systems can not promise. */
  #tick(): number {
    this.#lastMs = Math.max(this.#clock.nowMs(), this.#lastMs + 0.001)
    return this.#lastMs
  }

  #set(folder: FakeFolder, path: string, node: FakeNode): void {
    folder.entries.set(basename(path), node)
    folder.modifiedMs = this.#tick()
  }

  #unset(path: string): boolean {
    const folder = this.#resolve(dirname(path))
    if (folder?.kind !== 'directory' || !folder.entries.delete(basename(path))) return false
    folder.modifiedMs = this.#tick()
    return true
  }

  /** What has the name, a link as itself. */
  #lookAt(path: string): FakeNode | undefined {
    if (path === '/') return this.#root
    const folder = this.#resolve(dirname(path))
    return folder?.kind === 'directory' ? folder.entries.get(basename(path)) : undefined
  }

  /** What the name leads to through links. */
  #resolve(path: string, followed = 0): FakeNode | undefined {
    if (path === '/') return this.#root
    const folder = this.#resolve(dirname(path), followed)
    const node = folder?.kind === 'directory' ? folder.entries.get(basename(path)) : undefined
    if (node?.kind !== 'link') return node
    if (followed === linksFollowedMax) throw systemError('ELOOP')
    return this.#resolve(join(node.target.startsWith('/') ? '/' : dirname(path), node.target), followed + 1)
  }

  #folderOf(path: string): FakeFolder {
    const folder = this.#resolve(dirname(path))
    if (folder === undefined) throw systemError('ENOENT')
    if (folder.kind !== 'directory') throw systemError('ENOTDIR')
    return folder
  }

  #putFolder(path: string, mode = 0o755): FakeFolder {
    const there = this.#resolve(path)
    if (there?.kind === 'directory') return there
    const folder = newFolder(mode, this.#tick())
    this.#putFolder(dirname(path)).entries.set(basename(path), folder)
    return folder
  }
}

function newFolder(mode: number, modifiedMs: number): FakeFolder {
  return { kind: 'directory', mode, modifiedMs, entries: new Map(), synced: new Map() }
}

function markSynced(node: FakeNode): void {
  if (node.kind !== 'directory') return
  node.synced = new Map(node.entries)
  for (const entry of node.entries.values()) markSynced(entry)
}

function revert(node: FakeNode): void {
  if (node.kind !== 'directory') return
  node.entries.clear()
  for (const [name, entry] of node.synced) {
    node.entries.set(name, entry)
    revert(entry)
  }
}

/** An error as the kernel's calls give it in Node. */
function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
