/**
 * What to do with each entry of a tar that anybody may have made, decided by names alone: nothing is put outside of the folder that is unpacked, nothing is
 * written through a link, and no link leads out. Pure; `disk.ts` does it.
 */
import { GearError, limits } from '../../api/index.ts'
import type { TarEntry } from '../../formats/index.ts'

/** Paths are lists of names below what is copied, which is the empty list. */
export type Path = readonly string[]

export type Action =
  | { readonly kind: 'folder' | 'file'; readonly path: Path; readonly mode: number }
  | { readonly kind: 'link'; readonly path: Path; readonly target: string }
  | { readonly kind: 'same'; readonly path: Path; readonly as: Path }
  /** There is already what the entry asks for. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'leaveOut'; readonly name: string; readonly why: string }

export interface Unpacked {
  /** Folders that no entry has made and that are needed for it; then the entry itself. */
  readonly folders: readonly Path[]
  readonly action: Action
}

/** Of the mode only who may read, write and run: nothing that comes out of a container runs as somebody else. */
const permissionBits = 0o777
/** Whoever copies can look into a folder, and remove what is in it. */
const ownFolderBits = 0o700

export class Unpacking {
  readonly #isWindows: boolean
  /** The name that all entries begin with; undefined for an archive of a root, whose entries have none in common. */
  #root: string | undefined
  #isRootKnown: boolean
  readonly #kinds = new Map<string, 'folder' | 'file' | 'link'>()

  constructor(options: { readonly isRoot: boolean; readonly isWindows: boolean }) {
    this.#isWindows = options.isWindows
    this.#isRootKnown = options.isRoot
    if (options.isRoot) this.#kinds.set('', 'folder')
  }

  /** Throws REPLY_UNEXPECTED for an archive that no engine makes. */
  take(entry: TarEntry): Unpacked {
    if (this.#kinds.size >= limits.copyFiles) throw unexpected(`it has more than ${limits.copyFiles} files and folders`)
    const path = this.#pathOf(entry.name)
    if (!this.#isRootKnown || path === undefined) throw unexpected(`it has ${quoted(entry.name)}, which is not in what was asked for`)
    const folders = this.#foldersAbove(path)
    const action = this.#actionFor(entry, path)
    return { folders: action.kind === 'leaveOut' ? [] : folders.map(folder => this.#remember(folder, 'folder')), action }
  }

  #pathOf(name: string): Path | undefined {
    if (name.length > limits.containerPathBytes) throw unexpected(`it has ${quoted(name)}…, which is too long`)
    const parts = namesOf(name)
    if (parts === undefined || parts.some(part => this.#isWindows && /[\\:]/.test(part))) {
      throw unexpected(`it has ${quoted(name)}, which leads out of it`)
    }
    if (!this.#isRootKnown) {
      if (parts.length !== 1) return undefined
      this.#isRootKnown = true
      this.#root = parts[0]
    }
    if (this.#root === undefined) return parts
    return parts[0] === this.#root ? parts.slice(1) : undefined
  }

  #foldersAbove(path: Path): readonly Path[] {
    const missing: Path[] = []
    for (let length = 0; length < path.length; length++) {
      const above = path.slice(0, length)
      const kind = this.#kinds.get(above.join('/'))
      if (kind === undefined) missing.push(above)
      else if (kind !== 'folder') throw unexpected(`it has something below ${quoted(above.join('/'))}, which is no folder`)
    }
    return missing
  }

  #actionFor(entry: TarEntry, path: Path): Action {
    const before = this.#kinds.get(path.join('/'))
    if (before === 'folder' && entry.type === 'folder') return { kind: 'nothing' }
    if (before !== undefined) throw unexpected(`it has ${quoted(entry.name)} twice`)
    const { mode, target } = entry
    switch (entry.type) {
      case 'folder':
        return { kind: 'folder', path: this.#remember(path, 'folder'), mode: (mode & permissionBits) | ownFolderBits }
      case 'file':
        return { kind: 'file', path: this.#remember(path, 'file'), mode: mode & permissionBits }
      case 'link':
        if (!isWithin(path, target)) return leftOut(entry, `it leads to ${target}, out of what is copied`)
        return { kind: 'link', path: this.#remember(path, 'link'), target }
      case 'same': {
        const as = this.#pathOf(target)
        if (as === undefined || this.#kinds.get(as.join('/')) !== 'file')
          return leftOut(entry, `it is the same as ${target}, which is not copied`)
        return { kind: 'same', path: this.#remember(path, 'file'), as }
      }
      default:
        return leftOut(entry, 'it is a device or a pipe')
    }
  }

  #remember(path: Path, kind: 'folder' | 'file' | 'link'): Path {
    this.#kinds.set(path.join('/'), kind)
    return path
  }
}

/** Undefined for names that climb. Those of engines may begin with a slash. */
function namesOf(name: string): Path | undefined {
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  return parts.includes('..') || name.includes('\0') ? undefined : parts
}

/**
 * A link may climb as far as its own folder is deep, and then only go down: after another link, `..` would be above the folder that the other leads to. Going
 * down may pass other links, which are held to the same.
 */
function isWithin(path: Path, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0') || /^[A-Za-z]:|\\/.test(target)) return false
  const parts = target.split('/').filter(part => part !== '' && part !== '.')
  const climbs = parts.findIndex(part => part !== '..')
  const upCount = climbs < 0 ? parts.length : climbs
  return upCount < path.length && !parts.slice(upCount).includes('..')
}

function leftOut({ name }: TarEntry, why: string): Action {
  return { kind: 'leaveOut', name, why }
}

function unexpected(why: string): GearError {
  return new GearError('REPLY_UNEXPECTED', `The archive is not unpacked: ${why}`)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
