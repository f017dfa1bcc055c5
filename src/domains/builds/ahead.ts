/**
 * What a build would do, as far as that can be seen without beginning it: nothing is pulled, cloned or made for it. What only a later look could tell is
 * taken to be as it mostly is, and the reason says so.
 */
import { FormatError, parseScriptsUrl, printBuildSource, type ScriptsUrl } from '../../formats/index.ts'
import type { BuilderImage } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'
import { type BuildHost, type FoundSource, findInSource, findSource } from './look.ts'
import { type BuildStep, planBuild, runPath } from './plan.ts'
import {
  chooseScripts,
  type FoundScripts,
  type ScriptName,
  type ScriptPlace,
  type Scripts,
  scriptNames,
  scriptsUrlOf,
  sourceFolders,
  workFolderOf,
} from './scripts.ts'

export interface AheadStep {
  readonly kind: 'pull' | 'clone' | BuildStep['kind']
  /** What it is about: an image, an address, a file. */
  readonly name: string
  readonly reason: string
}

/** What can be seen of a build without beginning it. */
export interface BuildOutlook {
  /** The builder image; undefined when it is to be pulled. */
  readonly image: BuilderImage | undefined
  /** The image that has the tag now. */
  readonly previous: BuilderImage | undefined
  /** Scripts of a source that lies on this host; undefined when it has to be fetched. */
  readonly source: readonly FoundScripts[] | undefined
}

/** Throws SOURCE_FAILED for a source that is not there. `isFetched`: the source is not there yet, and will be. */
export async function lookAhead(
  host: BuildHost,
  request: BuildRequest,
  { isFetched }: { readonly isFetched: boolean },
): Promise<BuildOutlook> {
  const [image, previous] = await Promise.all([host.builder.image(request.image), host.builder.image(request.tag)])
  if (isFetched || request.source.kind === 'git') return { image, previous, source: undefined }
  const streams = { signal: new AbortController().signal, say: () => undefined }
  const source: FoundSource = await findSource(host, request, '', streams)
  if (source.only !== undefined) return { image, previous, source: [] }
  return { image, previous, source: await Promise.all(sourceFolders.map(inner => findInSource(host, source.folder, inner))) }
}

/** The steps of `planBuild`, with those before it. Throws BUILD_SCRIPT_MISSING where it is plain that there is no script. */
export function planAhead(request: BuildRequest, { image, previous, source }: BuildOutlook): readonly AheadStep[] {
  const steps: AheadStep[] = []
  if (image === undefined) steps.push({ kind: 'pull', name: request.image, reason: 'the engine does not have the builder image' })
  if (source === undefined && request.source.kind === 'git') {
    steps.push({ kind: 'clone', name: printBuildSource(request.source), reason: 'the source is a repository' })
  }
  const known = image ?? unknownImage
  const facts = {
    image: known,
    previous,
    scripts: scriptsAhead(request, { image, source }),
    commit: undefined,
    workFolder: workFolderOf(known),
  }
  const mayHaveRun = source === undefined && request.scriptsUrl === undefined
  const isSeen = (name: ScriptName) => (source ?? []).some(({ names }) => names.includes(name))
  const { steps: planned } = planBuild(request, facts)
  for (const step of planned) {
    if (step.kind === 'commit' && mayHaveRun && !planned.some(({ kind }) => kind === 'placeRun')) {
      steps.push({ kind: 'placeRun', name: runPath, reason: 'the image starts with it, if the source has a script run' })
    }
    const isSure = step.kind !== 'saveArtifacts' || isSeen('save-artifacts')
    const reason = isSure ? step.reason : `${step.reason}, if there is a script save-artifacts`
    steps.push({ kind: step.kind, name: subjectOf(step, request), reason })
  }
  return steps
}

/** Those of the source that can be seen; for the others it is assumed that they are where they are looked for next. */
function scriptsAhead({ scriptsUrl }: BuildRequest, { image, source }: Pick<BuildOutlook, 'image' | 'source'>): Scripts {
  const url = readable(scriptsUrl ?? (image === undefined ? undefined : scriptsUrlOf(image)))
  const place = (name: ScriptName): ScriptPlace =>
    url?.kind === 'web' || url?.kind === 'file'
      ? { kind: 'copied', folder: scriptsUrl === undefined ? 'defaultScripts' : 'scripts' }
      : { kind: 'image', path: name }
  const isOpen = source === undefined || image === undefined || (url !== undefined && (url.kind !== 'file' || scriptsUrl !== undefined))
  const assumed: readonly FoundScripts[] = isOpen ? [{ names: scriptNames, placeOf: place }] : []
  return chooseScripts(scriptsUrl === undefined ? [...(source ?? []), ...assumed] : [...assumed, ...(source ?? [])])
}

function readable(text: string | undefined): ScriptsUrl | undefined {
  try {
    return text === undefined ? undefined : parseScriptsUrl(text)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

function subjectOf(step: BuildStep, { image, tag }: BuildRequest): string {
  switch (step.kind) {
    case 'assemble':
      return image
    case 'placeRun':
      return runPath
    case 'removePrevious':
      return step.imageId
    case 'saveArtifacts':
    case 'commit':
      return tag
  }
}

const unknownImage: BuilderImage = { id: '', labels: {}, environment: [], command: [], user: '' }
