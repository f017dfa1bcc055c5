/** Where a copy goes from and to, as the arguments say it, and what the copy is called there: the rules of `docker cp`. */
import type { Plan } from '../../api/index.ts'
import { type LocatorHost, parseLocator } from '../../formats/index.ts'
import { UsageError, usage } from '../usage-error.ts'

export type Place =
  | { readonly kind: 'container'; readonly host: LocatorHost; readonly id: string; readonly path: string }
  | { readonly kind: 'disk'; readonly path: string }
  /** Standard input or output, with a tar. */
  | { readonly kind: 'stream' }

/**
 * `[HOST[:PORT]/]ID:/path` is in a container. What begins with `/` or `.` is always on this machine, and so is a drive of Windows; a container's name
 * has four characters at least.
 */
export function readPlace(argument: string): Place {
  if (argument === '-') return { kind: 'stream' }
  if (argument === '') throw new UsageError('a place must not be empty')
  const [, locator, path] = /^((?:[a-z]+:\/\/)?[^./].*?):(\/.*)$/su.exec(argument) ?? []
  if (locator === undefined || path === undefined || /^[A-Za-z]$/.test(locator)) return { kind: 'disk', path: argument }
  const { host, id } = usage('', () => parseLocator(locator))
  return { kind: 'container', host, id, path }
}

/** What is copied, where it is. */
export interface Source {
  readonly kind: 'file' | 'folder'
  /** As it was given, for messages. */
  readonly given: string
  /** Its own name; empty for a root. */
  readonly name: string
  /** What is in the folder is meant, not the folder. */
  readonly isContent: boolean
}

/** What is there where the copy is to go. */
export interface Destination {
  /** As it was given, for messages. */
  readonly given: string
  /** Without separators at its end. */
  readonly path: string
  readonly kind: 'file' | 'folder' | undefined
  /** It ended with a separator, so that it must be a folder. */
  readonly isFolderMeant: boolean
  /** The path without its last name, and that name. */
  readonly parent: string
  readonly name: string
}

export interface Target {
  /** Must be there. */
  readonly folder: string
  /** What the copy is called in it; undefined when what is in the source goes there. */
  readonly name: string | undefined
}

/** Throws a UsageError for what cannot be. */
export function targetOf(source: Source, destination: Destination): Target {
  const isContent = source.isContent || source.name === ''
  if (source.kind === 'file' && source.isContent) throw new UsageError(`${source.given} is a file, of which there is no content to copy`)
  switch (destination.kind) {
    case 'folder':
      return { folder: destination.path, name: isContent ? undefined : source.name }
    case 'file':
      if (source.kind === 'folder') throw new UsageError(`${destination.given} is a file, which a folder cannot be copied to`)
      if (destination.isFolderMeant) throw new UsageError(`${destination.given} is a file`)
      break
    default:
      if (source.kind === 'file' && destination.isFolderMeant) throw new UsageError(`there is no folder ${destination.given}`)
  }
  return { folder: destination.parent, name: destination.name }
}

/** What a copy would do, as the step of a plan. `prefix` goes before a path of the destination: `web-1:`. */
export function planCopy(source: Source, destination: Destination, { folder, name }: Target, prefix: string): Plan {
  const place = name === undefined ? folder : `${folder.replace(/[\\/]$/, '')}/${name}`
  return { steps: [{ kind: 'copy', on: [source.given, `${prefix}${place}`], reason: reasonOf(source, destination, name) }] }
}

function reasonOf({ kind }: Source, destination: Destination, name: string | undefined): string {
  if (name === undefined) return 'what is in it goes into the folder; files of the same name are replaced'
  if (destination.kind === 'file') return 'the file that is there is replaced'
  if (destination.kind === undefined) return 'nothing has that name yet'
  const replaced = kind === 'file' ? 'a file of that name is replaced' : 'files of the same name in it are replaced'
  return `the destination is a folder, so it goes into it; ${replaced}`
}

/** A path in a container: without `/` and `/.` at its end, and whether that said something. */
export function readContainerPath(path: string): {
  readonly path: string
  readonly parent: string
  readonly name: string
  readonly isContent: boolean
  readonly isFolderMeant: boolean
} {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  const name = parts.at(-1) ?? ''
  return {
    path: `/${parts.join('/')}`,
    parent: `/${parts.slice(0, -1).join('/')}`,
    name,
    isContent: /\/\.\/*$/.test(path),
    isFolderMeant: /\/\.?$/.test(path),
  }
}
