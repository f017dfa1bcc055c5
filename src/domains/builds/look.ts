/** What a build must know before it decides: the images, the source on this host, the scripts, the variables. */
import { GearError, limits } from '../../api/index.ts'
import {
  type EnvironmentVariable,
  FormatError,
  latestVariables,
  parseEnvironmentFile,
  parseScriptsUrl,
  printBuildSource,
  type ScriptsUrl,
} from '../../formats/index.ts'
import type { BuilderImage, Host, Streams, Tree } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'
import { ignoredPaths } from './ignore.ts'
import {
  type CopiedFolder,
  chooseScripts,
  type FoundScripts,
  type ScriptName,
  type ScriptPlace,
  type Scripts,
  scriptsUrlOf,
  sourceFolders,
} from './scripts.ts'

export type BuildHost = Pick<Host, 'builder' | 'git' | 'files' | 'network'>

/** The source as it lies on this host. */
export interface FoundSource {
  readonly folder: string
  /** The source is this one file of the folder. */
  readonly only: string | undefined
  readonly commit: string | undefined
}

export async function findImage(host: BuildHost, name: string, streams: Streams): Promise<BuilderImage> {
  const known = await host.builder.image(name)
  if (known !== undefined) return known
  streams.say(`Pulling ${name}\n`)
  await host.builder.pull(name, streams)
  const pulled = await host.builder.image(name)
  if (pulled === undefined) throw new GearError('ENGINE_FAILED', `The image ${name} is not there after it was pulled`)
  return pulled
}

/** Clones, or finds what is here. A local source stays where it is: it is read when it goes into the container. */
export async function findSource(host: BuildHost, request: BuildRequest, into: string, streams: Streams): Promise<FoundSource> {
  const { source, mayReachHost } = request
  if (source.kind === 'git') {
    const { address, ref } = source
    streams.say(`Cloning ${printBuildSource(source)}${ref === undefined ? '' : ` at ${ref}`}\n`)
    // files of callers from elsewhere are repositories of this host (asked.ts)
    const where = { address: source.isFile && address.startsWith('/') ? `file://${address}` : address, mayReadFiles: source.isFile }
    const commit = await host.git.clone({
      ...where,
      into,
      mayReachHost,
      ...(ref === undefined ? {} : { ref }),
      signal: streams.signal,
      say: request.isVerbose ? streams.say : () => undefined,
    })
    return { folder: into, only: undefined, commit }
  }
  const folder = source.path.slice(0, source.path.lastIndexOf('/')) || '/'
  const name = source.path.slice(source.path.lastIndexOf('/') + 1)
  const entry = (await host.files.list(folder)).find(each => each.name === name)
  if (source.path !== '/' && entry === undefined) throw new GearError('SOURCE_FAILED', `There is no ${source.path}`)
  if (entry?.kind === 'file') return { folder, only: name, commit: undefined }
  if (entry?.kind === 'other') throw new GearError('SOURCE_FAILED', `${source.path} is neither a folder nor a file`)
  return { folder: source.path, only: undefined, commit: undefined }
}

/** The source as what goes into the container: all but what .s2iignore names, and git's own folder with its addresses and histories. */
export async function sourceTree(host: BuildHost, { folder, only }: FoundSource): Promise<Tree> {
  if (only !== undefined) return { folder, as: 'src', only, without: [], withoutNamed: [] }
  const text = await readInside(host, folder, '.s2iignore')
  const list = async (inner: string) =>
    (await host.files.list(inner === '' ? folder : `${folder}/${inner}`)).map(({ name, kind }) => ({
      name,
      isFolder: kind === 'directory',
    }))
  const without =
    text === undefined ? [] : await ignoredPaths(text, list, { pathsMax: limits.buildIgnored, looksMax: limits.buildIgnoreLooks })
  return { folder, as: 'src', without, withoutNamed: ['.git'] }
}

/** What the source says in .s2i/environment or .sti/environment; what was given with the build counts before it. */
export async function findVariables(host: BuildHost, request: BuildRequest, { folder, only }: FoundSource) {
  const given: EnvironmentVariable[] = []
  for (const path of only === undefined ? ['.sti/environment', '.s2i/environment'] : []) {
    const text = await readInside(host, folder, path)
    if (text === undefined) continue
    try {
      given.push(...parseEnvironmentFile(text.replaceAll(/^[^\S\n]*#.*$/gm, '')).variables)
    } catch (error) {
      if (error instanceof FormatError) throw new GearError('SOURCE_FAILED', `Could not read ${path} of the source`, { cause: error })
      throw error
    }
  }
  // the engine takes a line that begins with # for a comment
  return latestVariables([...given, ...request.variables]).filter(({ name }) => !name.startsWith('#'))
}

interface ScriptSearch {
  readonly request: BuildRequest
  readonly image: BuilderImage
  readonly source: FoundSource
  /** Where scripts of the host are put for the container, in folders of their own. */
  readonly folder: string
  readonly wanted: readonly ScriptName[]
  /** Names in a folder of the builder image. It is told what is there for certain, or else where it would be. */
  readonly listImage: (folder: string, likely: Scripts) => Promise<readonly string[]>
  readonly streams: Streams
}

/** Looks in the order in which they count; a folder of the image is looked into only for what is still missing. */
export async function findScripts(host: BuildHost, search: ScriptSearch) {
  const { request, image, source, wanted } = search
  const places: FoundScripts[] = []
  if (request.scriptsUrl !== undefined) places.push(await findAt(host, search, parseScriptsUrl(request.scriptsUrl), { into: 'scripts' }))
  if (source.only === undefined) for (const inner of sourceFolders) places.push(await findInSource(host, source.folder, inner))
  const isComplete = wanted.every(name => places.some(({ names }) => names.includes(name)))
  const byImage = scriptsUrlOf(image)
  if (byImage === undefined) return chooseScripts(places, wanted)
  const url = readable(byImage)
  if (isComplete && url?.kind !== 'web') return chooseScripts(places, wanted)
  if (url === undefined || url.kind === 'file') {
    search.streams.say(`The image ${request.image} has its scripts at ${byImage}, which is not taken from an image\n`)
    return chooseScripts(places, wanted)
  }
  return chooseScripts([...places, await findAt(host, search, url, { into: 'defaultScripts', before: places })], wanted)
}

function readable(text: string): ScriptsUrl | undefined {
  try {
    return parseScriptsUrl(text)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

interface Finding {
  readonly into: CopiedFolder
  /** What counts before it. */
  readonly before?: readonly FoundScripts[]
}

async function findAt(host: BuildHost, search: ScriptSearch, url: ScriptsUrl, { into, before = [] }: Finding): Promise<FoundScripts> {
  if (url.kind === 'image') {
    const placeOf = (name: ScriptName): ScriptPlace => ({ kind: 'image', path: `${url.folder}/${name}` })
    const likely = chooseScripts([...before, { names: search.wanted, placeOf }], search.wanted)
    return { names: await search.listImage(url.folder, likely), placeOf }
  }
  const isMissing = (name: ScriptName): boolean => !before.some(({ names }) => names.includes(name))
  const textOf = async (name: ScriptName): Promise<string | undefined> => {
    try {
      return await textAt(host, search.request, url, name)
    } catch (error) {
      // What another place has need not be there.
      if (isMissing(name) || !(error instanceof GearError)) throw error
      return undefined
    }
  }
  const texts = await Promise.all(search.wanted.map(async name => ({ name, text: await textOf(name) })))
  const names: string[] = []
  for (const { name, text } of texts) {
    if (text === undefined) continue
    await host.files.write(`${search.folder}/${into}/${name}`, text, 0o755)
    names.push(name)
  }
  return { names, placeOf: () => ({ kind: 'copied', folder: into }) }
}

/** A script that is not there is no failure: only assemble must be somewhere. */
async function textAt(
  host: BuildHost,
  { mayReachHost }: BuildRequest,
  url: ScriptsUrl & { readonly kind: 'web' | 'file' },
  name: string,
): Promise<string | undefined> {
  if (url.kind === 'file') {
    if (!mayReachHost) throw new GearError('SOURCE_FAILED', 'Scripts from files of the host are for callers on the host only')
    return host.files.read(`${url.folder}/${name}`, limits.buildScriptBytes)
  }
  try {
    const bounds = { maxBytes: limits.buildScriptBytes, timeoutMs: limits.buildScriptMs, mayReachHost }
    return await host.network.fetchText(`${url.url}/${name}`, bounds)
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    const status = (error.data as { readonly status?: number } | undefined)?.status
    if (status === 404 || status === 403 || status === 410) return undefined
    throw new GearError('SOURCE_FAILED', `Could not fetch the script ${name}`, { cause: error })
  }
}

export async function findInSource(host: BuildHost, folder: string, inner: string): Promise<FoundScripts> {
  const isThere = await isFolderInside(host, folder, inner)
  const entries = isThere ? await host.files.list(`${folder}/${inner}`) : []
  const names = entries.flatMap(({ name, kind }) => (kind === 'file' ? [name] : []))
  return { names, placeOf: name => ({ kind: 'source', path: `${inner}/${name}` }) }
}

/**
 * Reads a file of the source, if it is one. What the source has there may be a link, which would lead to files of the host: none is followed,
 * on the way neither.
 */
export async function readInside(host: Pick<Host, 'files'>, folder: string, path: string): Promise<string | undefined> {
  const at = path.lastIndexOf('/')
  if (at > 0 && !(await isFolderInside(host, folder, path.slice(0, at)))) return undefined
  if ((await host.files.readLink(`${folder}/${path}`)) !== undefined) return undefined
  return host.files.read(`${folder}/${path}`, limits.buildScriptBytes)
}

async function isFolderInside({ files }: Pick<Host, 'files'>, folder: string, path: string): Promise<boolean> {
  let at = folder
  for (const part of path.split('/')) {
    at = `${at}/${part}`
    if ((await files.readLink(at)) !== undefined || !(await files.exists(at))) return false
  }
  return true
}
