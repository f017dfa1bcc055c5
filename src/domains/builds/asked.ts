/** From what was asked for, on the command line or over the API, to a build that can run. */
import { type BuildAsked, type Caller, GearError, inputInvalid, limits, type RequestId } from '../../api/index.ts'
import {
  type BuildSource,
  type EnvironmentVariable,
  latestVariables,
  parseBuildSource,
  parseEnvironmentFile,
  parseRemoteAddress,
} from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'

interface Asker {
  readonly id: RequestId
  readonly caller: Caller
  /** Where relative paths begin; without it a path must be absolute. */
  readonly folder?: string
}

/** Fetches the environment's URL. Callers from elsewhere build from no files but the repositories of this host. */
export async function requestOf(
  host: Pick<Host, 'network' | 'paths'>,
  asked: BuildAsked,
  { id, caller, folder }: Asker,
): Promise<BuildRequest> {
  const mayReachHost = caller.isRoot
  const path = absolute(asked.source, folder)
  const source = mayReachHost ? parseBuildSource(path, asked.ref) : await fromElsewhere(host, path, asked.ref)
  const { environment } = asked
  return {
    id,
    source,
    image: asked.baseImage,
    tag: asked.tag,
    isClean: asked.clean,
    isPreviousRemoved: asked.removePrevious,
    variables: latestVariables([...(await fetched(host, environment?.source ?? '', mayReachHost)), ...(environment?.variables ?? [])]),
    scriptsUrl: asked.scripts,
    callbackUrl: asked.callbackUrl,
    network: asked.network,
    memoryBytes: asked.memory ?? limits.buildMemoryBytes,
    cpus: asked.cpus ?? 0,
    pids: asked.pids ?? limits.buildPids,
    mayReachHost,
    isVerbose: asked.verbose,
  }
}

function absolute(source: string, folder: string | undefined): string {
  const parsed = parseBuildSource(source)
  const isPath = parsed.kind === 'local' || (parsed.isFile && !source.startsWith('file:'))
  if (!isPath || source.startsWith('/')) return source
  if (folder === undefined) throw inputInvalid([{ field: 'Source', rule: 'must be an address, or an absolute path on the host' }])
  return normal(`${folder}/${source}`)
}

/** Without `.` and `..`, as the words stand. */
function normal(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/**
 * Files of the host are its administrator's; the repositories that gear keeps are there to be built. Addresses of the host are refused here, to be
 * told at once, and again when they are reached, wherever they have led by then.
 */
async function fromElsewhere(
  { paths, network }: Pick<Host, 'paths' | 'network'>,
  source: string,
  ref: string | undefined,
): Promise<BuildSource> {
  const parsed = parseBuildSource(source, ref)
  if (parsed.kind === 'git' && !parsed.isFile) {
    const address = parseRemoteAddress(parsed.address, rule => inputInvalid([{ field: 'Source', rule }]))
    if (address === undefined || (await network.isOwnOrLocal(address.host)))
      throw inputInvalid([{ field: 'Source', rule: 'must not be an address of this host or of its local network' }])
    return parsed
  }
  const path = parsed.kind === 'git' ? parsed.address.replace(/^file:\/\/(?:localhost)?/, '') : parsed.path
  const root = `${paths.base}/git/`
  if (path.startsWith(root) && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$/.test(path.slice(root.length)))
    return { kind: 'git', address: `file://${path}`, ref: parsed.kind === 'git' ? parsed.ref : undefined, isFile: true }
  throw inputInvalid([
    { field: 'Source', rule: `must be an address; of files of the host, only repositories in ${root} are built from elsewhere` },
  ])
}

async function fetched({ network }: Pick<Host, 'network'>, url: string, mayReachHost: boolean): Promise<readonly EnvironmentVariable[]> {
  if (url === '') return []
  const bounds = { maxBytes: limits.environmentSourceBytes, timeoutMs: limits.environmentSourceMs, mayReachHost }
  const text = await network.fetchText(url, bounds)
  try {
    return parseEnvironmentFile(text).variables
  } catch (cause) {
    throw new GearError('ENVIRONMENT_FETCH_FAILED', 'The environment that was fetched is none', { cause })
  }
}
