/**
 * Volumes of a container: anonymous ones, which outlive it, and mounts of host folders. The text form is that of `--volumes`:
 * `/data` names a volume, `/srv/x:/mnt` and `/srv/x:/mnt:ro` a mount with the host's folder first.
 */
import { FormatError, quoted } from './format-error.ts'
import { requireLine } from './text-rules.ts'

export interface VolumeMount {
  readonly hostPath: string
  readonly containerPath: string
  readonly isReadOnly: boolean
}

export interface Volumes {
  /** Paths inside the container. */
  readonly paths: readonly string[]
  readonly mounts: readonly VolumeMount[]
}

export const volumesMax = 100

const pathBytesMax = 4095
const pathPartBytesMax = 255
const textCharactersMax = 256 * 1024

/** Reads the text of `--volumes`. An empty text is no volumes. */
export function parseVolumes(text: string): Volumes {
  if (text.length > textCharactersMax) throw new FormatError('volumes.count', `there may be at most ${volumesMax} volumes`)
  const elements = (text === '' ? [] : text.split(',')).map(parseElement)
  const volumes: Volumes = {
    paths: elements.filter(element => typeof element === 'string'),
    mounts: elements.filter(element => typeof element !== 'string'),
  }
  checkVolumes(volumes)
  return volumes
}

/** The elements as they are given to the engine, one by one: volumes, then mounts. */
export function printVolumeElements({ paths, mounts }: Volumes): readonly string[] {
  return [...paths, ...mounts.map(({ hostPath, containerPath, isReadOnly }) => `${hostPath}:${containerPath}${isReadOnly ? ':ro' : ''}`)]
}

export function printVolumes(volumes: Volumes): string {
  return printVolumeElements(volumes).join(',')
}

/** What holds for the volumes of one container, wherever they come from: proper paths, and each place used once. */
export function checkVolumes({ paths, mounts }: Volumes): void {
  if (paths.length + mounts.length > volumesMax) throw new FormatError('volumes.count', `there may be at most ${volumesMax} volumes`)
  const places = [...paths, ...mounts.map(mount => mount.containerPath)]
  for (const place of places) {
    checkVolumePath(place)
    if (place === '/') throw new FormatError('volumes.root', 'a volume must not be mounted over the root of the container')
  }
  for (const { hostPath } of mounts) checkVolumePath(hostPath)
  const repeated = places.find((place, index) => places.indexOf(place) !== index)
  if (repeated !== undefined)
    throw new FormatError('volumes.repeated', `two volumes have the same place in the container: ${quoted(repeated)}`)
}

/** The path of a volume or a mount; a slash at its end counts for nothing. */
export function parseVolumePath(text: string): string {
  const path = withoutFinalSlash(text)
  checkVolumePath(path)
  return path
}

/** Absolute and in its shortest form, and without the characters that separate paths from each other. */
export function checkVolumePath(path: string): void {
  requireLine(path, { rule: 'volumes.path', subject: 'the path of a volume', bytesMax: pathBytesMax })
  if (!path.startsWith('/')) throw refused('must begin with "/"', path)
  if (/[:,]/.test(path)) throw refused('must not hold ":" or ","', path)
  const parts = path.slice(1).split('/')
  if (path !== '/' && parts.some(part => part === '' || part === '.' || part === '..')) {
    throw refused('must be in its shortest form, without "//", "/./", "/../" or a "/" at the end', path)
  }
  if (parts.some(part => Buffer.byteLength(part) > pathPartBytesMax))
    throw refused(`must not have a part longer than ${pathPartBytesMax} bytes`, path)
}

function parseElement(text: string): string | VolumeMount {
  const [first = '', second, mode, ...rest] = text.split(':')
  if (second === undefined) return withoutFinalSlash(first)
  if (rest.length > 0 || (mode !== undefined && mode !== 'ro' && mode !== 'rw')) {
    throw new FormatError('volumes.element', `a volume must be path, hostpath:path or hostpath:path:ro|rw, not ${quoted(text)}`, {
      input: text,
    })
  }
  return { hostPath: withoutFinalSlash(first), containerPath: withoutFinalSlash(second), isReadOnly: mode === 'ro' }
}

/** Shells complete the name of a folder with a slash, and the original's client sends it so. */
function withoutFinalSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function refused(message: string, path: string): FormatError {
  return new FormatError('volumes.path', `the path of a volume ${message}: ${quoted(path)}`, { input: path })
}
