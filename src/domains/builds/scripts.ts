/**
 * The three scripts of a build and where each is taken from (spec §12.2): given with the request, then from the source, then from where the
 * builder image says. Old images say it in a variable, today's in a label; `image:` means a folder of the image itself. Pure.
 */
import { limits } from '../../api/index.ts'
import type { BuilderImage } from '../../host/index.ts'

export const scriptNames = ['assemble', 'run', 'save-artifacts'] as const
/** Those by which an image says what it is for; the first that there is does. */
export const usageNames = ['usage', 'assemble'] as const
export type ScriptName = (typeof scriptNames)[number] | 'usage'

/** Folders of the source that scripts may be in, the first that has one wins. */
export const sourceFolders = ['.s2i/bin', '.sti/bin'] as const

/** What was asked for with the build, and what the builder image names: one of the source may call that in its turn (spec §12.2). */
export const copiedFolders = ['scripts', 'defaultScripts'] as const
export type CopiedFolder = (typeof copiedFolders)[number]

/** Where a script is when the container runs. */
export type ScriptPlace =
  /** Copied into the container from the host, into this folder there. */
  | { readonly kind: 'copied'; readonly folder: CopiedFolder }
  | { readonly kind: 'source'; readonly path: string }
  | { readonly kind: 'image'; readonly path: string }

export type Scripts = Readonly<Partial<Record<ScriptName, ScriptPlace>>>

/** What was found in one place. */
export interface FoundScripts {
  readonly names: readonly string[]
  readonly placeOf: (name: ScriptName) => ScriptPlace
}

/** The first place that has a script gives it. */
export function chooseScripts(places: readonly FoundScripts[], wanted: readonly ScriptName[] = scriptNames): Scripts {
  const chosen = wanted.flatMap(name => {
    const place = places.find(({ names }) => names.includes(name))
    return place === undefined ? [] : [[name, place.placeOf(name)] as const]
  })
  return Object.fromEntries(chosen)
}

const labels = ['io.openshift.s2i.scripts-url', 'io.s2i.scripts-url']
const variables = ['S2I_SCRIPTS_URL', 'STI_SCRIPTS_URL']

/** What the builder image says of its scripts. */
export function scriptsUrlOf({ labels: given, environment }: BuilderImage): string | undefined {
  for (const label of labels) if (given[label] !== undefined && given[label] !== '') return given[label]
  for (const variable of variables) {
    const entry = environment.find(each => each.startsWith(`${variable}=`))
    if (entry !== undefined && entry !== `${variable}=`) return entry.slice(variable.length + 1)
  }
  return undefined
}

/** Folder of the container that source, scripts and artifacts are put below. */
export function workFolderOf({ labels: given }: BuilderImage): string {
  const text = given['io.openshift.s2i.destination'] ?? '/tmp'
  // A label may be of any length, and the rule below takes time by the square of it.
  const folder = text.length > limits.containerPathBytes ? '' : text.replace(/(.)\/+$/, '$1')
  return isFitFolder(folder) ? folder : '/tmp'
}

/** The folder becomes a volume of the container: it must be none that the image needs. */
function isFitFolder(folder: string): boolean {
  const isPath = /^(?:\/[A-Za-z0-9_.-]+)+$/.test(folder) && !folder.split('/').some(part => part === '.' || part === '..')
  return isPath && !/^\/(?:bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|usr|var|opt|home)$/.test(folder)
}
