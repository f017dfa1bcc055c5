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

export type BuildStep = { readonly reason: string } & (
  | { readonly kind: 'saveArtifacts'; readonly image: string; readonly script: ScriptPlace; readonly command: readonly string[] }
  | { readonly kind: 'assemble'; readonly command: readonly string[]; readonly user: string | undefined; readonly withArtifacts: boolean }
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

const assembleUserLabel = 'io.openshift.s2i.assemble-user'

/** Throws BUILD_SCRIPT_MISSING when there is nothing to run. */
export function planBuild(request: BuildRequest, facts: BuildFacts): BuildPlan {
  const { image, previous, scripts, workFolder } = facts
  const { assemble, run } = scripts
  const save = scripts['save-artifacts']
  if (assemble === undefined) throw new GearError('BUILD_SCRIPT_MISSING', `There is no assemble script for ${request.image}`)
  const isIncremental = !request.isClean && previous !== undefined && save !== undefined
  const user = image.labels[assembleUserLabel]
  const steps: BuildStep[] = []
  if (isIncremental) {
    const command = commandOf(save, { name: 'save-artifacts', workFolder })
    steps.push({ kind: 'saveArtifacts', reason: `${request.tag} was built before`, image: previous.id, script: save, command })
  }
  steps.push({
    kind: 'assemble',
    reason: 'the source is to become an application',
    command: commandOf(assemble, { name: 'assemble', workFolder }),
    user,
    withArtifacts: isIncremental,
  })
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

/** Throws BUILD_SCRIPT_MISSING. */
export function planUsage(request: BuildRequest, assemble: ScriptPlace | undefined, workFolder: string): readonly string[] {
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
  if (place.kind === 'copied') return [`${workFolder}/scripts/${name}`]
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
