/**
 * What a build does, decided from what was found: which containers run which scripts, and what the image is to be like. Pure; carried out
 * by `apply.ts`.
 */
import { GearError } from '../../api/index.ts'
import type { BuilderImage } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'
import type { ScriptName, ScriptPlace, Scripts } from './scripts.ts'

/** What was found before anything is run. */
export interface BuildFacts {
  readonly image: BuilderImage
  /** The image that has the tag now. */
  readonly previous: BuilderImage | undefined
  readonly scripts: Scripts
  readonly commit: string | undefined
  readonly workFolder: string
}

export interface BuildPlan {
  /** Each with its reason. */
  readonly steps: readonly BuildStep[]
  readonly isIncremental: boolean
}

/** What the container for assemble is made for. */
export interface Assembling {
  readonly command: readonly string[]
  /** The image's own unless given. */
  readonly user: string | undefined
  /** It has a place for artifacts that is not in the volume. */
  readonly withArtifacts: boolean
}

export type BuildStep = { readonly reason: string } & (
  | { readonly kind: 'saveArtifacts'; readonly image: string; readonly script: ScriptPlace; readonly command: readonly string[] }
  | ({ readonly kind: 'assemble' } & Assembling)
  | { readonly kind: 'placeRun'; readonly script: ScriptPlace & { readonly kind: 'copied' | 'source' } }
  | {
      readonly kind: 'commit'
      readonly command: readonly string[]
      readonly user: string | undefined
      readonly labels: Readonly<Record<string, string>>
    }
  | { readonly kind: 'removePrevious'; readonly imageId: string }
)

/** Where the run script of a built image is (spec §12.2). */
export const runPath = '/opt/sti/bin/run'

/**
 * Where artifacts are for assemble: in the container's own layer, so that a script that moves them into the application renames them. From a volume
 * it would copy every file. The folder for artifacts in the volume is a link to it.
 */
export const artifactsFolder = '/opt/sti'
export const artifactsPath = `${artifactsFolder}/artifacts`

const assembleUserLabel = 'io.openshift.s2i.assemble-user'

/** Throws BUILD_SCRIPT_MISSING when there is nothing to run. */
export function planBuild(request: BuildRequest, facts: BuildFacts): BuildPlan {
  const { image, previous, scripts, workFolder } = facts
  const { run, 'save-artifacts': save } = scripts
  const assembling = planAssembling(request, scripts, facts)
  const isIncremental = mayTakeOver(request, previous) && save !== undefined
  const { user } = assembling
  const steps: BuildStep[] = []
  if (isIncremental && previous !== undefined) {
    const command = commandOf(save, { name: 'save-artifacts', workFolder })
    steps.push({ kind: 'saveArtifacts', reason: `${request.tag} was built before`, image: previous.id, script: save, command })
  }
  const reason = 'the source is to become an application'
  steps.push({ kind: 'assemble', reason, ...assembling, withArtifacts: isIncremental })
  if (run?.kind === 'copied' || run?.kind === 'source') {
    steps.push({ kind: 'placeRun', reason: 'the image starts with it', script: run })
  }
  steps.push({
    kind: 'commit',
    reason: 'the application is assembled',
    command: startCommand(run, image),
    user: user === undefined ? undefined : image.user,
    labels: labelsOf(request, facts),
  })
  if (request.isPreviousRemoved && previous !== undefined) {
    steps.push({ kind: 'removePrevious', reason: 'the image that had the name was to be removed', imageId: previous.id })
  }
  return { steps, isIncremental }
}

/** Known before it is known whether there is something that saves artifacts. Throws BUILD_SCRIPT_MISSING. */
export function planAssembling(
  request: BuildRequest,
  { assemble }: Scripts,
  { image, previous, workFolder }: Pick<BuildFacts, 'image' | 'previous' | 'workFolder'>,
): Assembling {
  if (assemble === undefined) throw new GearError('BUILD_SCRIPT_MISSING', `There is no assemble script for ${request.image}`)
  const command = commandOf(assemble, { name: 'assemble', workFolder })
  const withArtifacts = mayTakeOver(request, previous)
  return { command: withArtifacts ? withoutLeftovers(command) : command, user: image.labels[assembleUserLabel], withArtifacts }
}

function mayTakeOver({ isClean }: BuildRequest, previous: BuilderImage | undefined): boolean {
  return !isClean && previous !== undefined
}

/** Artifacts that assemble has not moved are not part of the image. */
function withoutLeftovers(command: readonly string[]): readonly string[] {
  const sweep = `rm -rf ${artifactsPath}/* ${artifactsPath}/.[!.]* 2>/dev/null`
  return ['/bin/sh', '-c', `"$0" "$@"; code=$?; ${sweep}; exit $code`, ...command]
}

/** The script usage of today's images or, in images that have none, assemble when it is asked for help (spec §12.2). Throws BUILD_SCRIPT_MISSING. */
export function planUsage(request: BuildRequest, { usage, assemble }: Scripts, workFolder: string): readonly string[] {
  if (usage !== undefined) return commandOf(usage, { name: 'usage', workFolder })
  if (assemble === undefined) throw new GearError('BUILD_SCRIPT_MISSING', `There is no assemble script for ${request.image}`)
  return [...commandOf(assemble, { name: 'assemble', workFolder }), '-h']
}

/** Without a run script the image starts as its builder does. */
function startCommand(run: ScriptPlace | undefined, { command }: BuilderImage): readonly string[] {
  if (run === undefined) return command
  return [run.kind === 'image' ? run.path : runPath]
}

/** A script of the source need not be executable: it is made so by a shell in the container, where it belongs to the container's user. */
function commandOf(
  place: ScriptPlace,
  { name, workFolder }: { readonly name: ScriptName; readonly workFolder: string },
): readonly string[] {
  if (place.kind === 'copied') return [`${workFolder}/${place.folder}/${name}`]
  if (place.kind === 'image') return [place.path]
  return ['/bin/sh', '-c', 'chmod u+x "$0" && exec "$0" "$@"', `${workFolder}/src/${place.path}`]
}

/** Where the image comes from. Both engines read these letters as they are. */
function labelsOf({ image }: BuildRequest, { commit }: BuildFacts): Readonly<Record<string, string>> {
  const plain = (value: string | undefined): value is string => value !== undefined && /^[\w./:@+-]{1,300}$/.test(value)
  return {
    ...(plain(image) ? { 'gear.build.image': image } : {}),
    ...(plain(commit) ? { 'gear.build.commit': commit } : {}),
  }
}
