/**
 * Images made from source (spec §12): the scripts of a builder image turn a repository or a folder into an image that starts the application.
 * A build runs in the process that asks for it; an agent asks systemd to run it as a unit of its own.
 */
import type { BuildAsked, Caller, RequestId } from '../../api/index.ts'
import type { Host, Paths } from '../../host/index.ts'
import { type AheadStep, lookAhead, planAhead } from './ahead.ts'
import { requestOf } from './asked.ts'
import type { BuildRequest, Built } from './build.ts'
import { workRoot } from './record.ts'
import { type BuildRunHost, type BuildRunOptions, runBuild, runUsage } from './run.ts'

export type { Built } from './build.ts'
export { buildHandlers } from './handlers.ts'
export { waitingBuilds, workRootBeside } from './record.ts'
export { Builds } from './service.ts'
export { runRequested } from './unit.ts'

/** Builds for a user of this machine, here and now. */
export async function buildFor(
  host: BuildRunHost & Pick<Host, 'paths'>,
  asked: BuildAsked,
  options: BuildRunOptions & Here,
): Promise<Built> {
  return runBuild(host, await requestHere(host, asked, options), options)
}

/** What `buildFor` would do, as far as that can be seen without beginning it. */
export async function planFor(host: BuildRunHost & Pick<Host, 'paths'>, asked: BuildAsked, options: Here): Promise<readonly AheadStep[]> {
  const request = await requestHere(host, asked, options)
  return planAhead(request, await lookAhead(host, request, { isFetched: false }))
}

/** What a builder image says of itself, for a user of this machine. */
export async function usageFor(
  host: BuildRunHost & Pick<Host, 'paths'>,
  asked: BuildAsked,
  options: BuildRunOptions & Here,
): Promise<void> {
  await runUsage(host, await requestHere(host, asked, options), options)
}

interface Here {
  readonly id: RequestId
  /** Where relative paths begin. */
  readonly folder: string
}

/** What a user of this machine may reach is for the kernel to say. */
function requestHere(host: BuildRunHost & Pick<Host, 'paths'>, asked: BuildAsked, { id, folder }: Here): Promise<BuildRequest> {
  return requestOf(host, asked, { id, caller: { isRoot: true }, folder })
}

/** A build of a folder as another domain wants it, with everything else as it is when nobody says. */
export async function orderedBuild(
  host: Pick<Host, 'network' | 'paths'>,
  order: Pick<BuildAsked, 'source' | 'baseImage' | 'tag'> & { readonly requestId: RequestId; readonly caller: Caller },
): Promise<BuildRequest> {
  const { requestId, caller, ...asked } = order
  const plain = { name: '', runtimeImage: '', clean: false, verbose: false, removePrevious: false } as const
  const nothing = { callbackUrl: undefined, ref: undefined, scripts: undefined, environment: undefined, network: undefined }
  const request = await requestOf(host, { ...plain, ...nothing, ...asked }, { id: requestId, caller })
  // also where its name ends like that of a repository
  return { ...request, source: { kind: 'local', path: asked.source } }
}

/** Where the folder of a build is made: root has a place that only root writes. */
export function buildPlace(
  paths: Pick<Paths, 'base'>,
  { isRoot }: { readonly isRoot: boolean },
): Pick<BuildRunOptions, 'workRoot' | 'isSweeping'> {
  return isRoot ? { workRoot: workRoot(paths), isSweeping: true } : { workRoot: '/var/tmp', isSweeping: false }
}
