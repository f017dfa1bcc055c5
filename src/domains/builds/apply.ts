/** Carries the steps of a build out, one function each. Containers are made here and removed by whoever runs the build. */
import { GearError, limits } from '../../api/index.ts'
import type { BuildContainer, BuildRun, Goods, Host, Owner, Streams, Tree } from '../../host/index.ts'
import { type BuildRequest, containersOf } from './build.ts'
import { type FoundSource, readInside } from './look.ts'
import { isRoot, ownerOf, root } from './owner.ts'
import { type BuildPlan, type BuildStep, runPath } from './plan.ts'

export interface BuildWork {
  readonly host: Pick<Host, 'builder' | 'files'>
  readonly request: BuildRequest
  readonly source: FoundSource
  readonly tree: Tree | undefined
  /** Of the builder image. */
  readonly user: string
  /** Folder of this build on the host. */
  readonly folder: string
  /** Of all its containers. */
  readonly settings: Omit<BuildContainer, 'name' | 'image' | 'command' | 'user'>
  readonly streams: Streams
  /** The last lines of what a script printed. */
  readonly lastLines: () => readonly string[]
}

type StepOf<Kind extends BuildStep['kind']> = Extract<BuildStep, { readonly kind: Kind }>

/** Where the artifacts of an earlier build are, for assemble. */
type Artifacts = 'in a tar' | 'in the container'

/** The id of the image. The container for assemble is made while artifacts are saved in another: the engine's commands take their time. */
export async function applyBuild(work: BuildWork, { steps }: BuildPlan): Promise<string> {
  const prepared = Promise.all(steps.map(step => (step.kind === 'assemble' ? prepareAssemble(work, step) : undefined)))
  prepared.catch(() => undefined)
  try {
    return await carryOut(work, steps, prepared)
  } finally {
    // or it would be made after it was cleared away
    await prepared.catch(() => undefined)
  }
}

async function carryOut(work: BuildWork, steps: BuildPlan['steps'], prepared: Promise<unknown>): Promise<string> {
  let artifacts: Artifacts | undefined
  let imageId = ''
  for (const step of steps) {
    work.streams.signal.throwIfAborted()
    switch (step.kind) {
      case 'saveArtifacts':
        artifacts = await saveArtifacts(work, step)
        break
      case 'assemble':
        await prepared
        await assemble(work, step, artifacts)
        break
      case 'placeRun':
        await placeRun(work, step)
        break
      case 'commit':
        imageId = await commit(work, step)
        break
      case 'removePrevious':
        await removePrevious(work, step, imageId)
    }
  }
  return imageId
}

/**
 * Today's scripts print a tar; the original's filled the folder `artifacts`. A tar is kept in a file until it is known that the script
 * succeeded; it is unpacked nowhere but in the next container.
 */
async function saveArtifacts(work: BuildWork, { image, script, command }: StepOf<'saveArtifacts'>): Promise<Artifacts> {
  const { host, request, streams, source } = work
  const { save } = containersOf(request.id)
  streams.say(`Saving artifacts of ${request.tag}\n`)
  await host.builder.create({ ...work.settings, name: save, image, command })
  const inner = script.kind === 'source' ? script.path.slice(0, script.path.lastIndexOf('/')) : undefined
  const tree: Tree | undefined =
    inner === undefined ? undefined : { folder: `${source.folder}/${inner}`, as: `src/${inner}`, without: [], withoutNamed: [] }
  await host.builder.put(save, goodsOf(work, tree, await ownerIn(work, save, work.user)))
  const output = { path: artifactsFile(work), maxBytes: limits.buildArtifactsBytes }
  const run = await host.builder.run(save, { ...streams, output })
  expectSuccess(work, 'save-artifacts', run)
  return run.isSaved ? 'in a tar' : 'in the container'
}

function artifactsFile({ folder }: BuildWork): string {
  return `${folder}/artifacts.tar`
}

/** The container with the source in it. */
async function prepareAssemble(work: BuildWork, { command, user }: StepOf<'assemble'>): Promise<void> {
  const { host, request, settings, tree } = work
  const { assemble: name } = containersOf(request.id)
  await host.builder.create({ ...settings, name, image: request.image, command, ...(user === undefined ? {} : { user }) })
  await host.builder.put(name, goodsOf(work, tree, await ownerIn(work, name, user ?? work.user)))
}

async function assemble(work: BuildWork, { withArtifacts }: StepOf<'assemble'>, artifacts: Artifacts | undefined): Promise<void> {
  const { host, request, streams, settings } = work
  const { save, assemble: name } = containersOf(request.id)
  if (withArtifacts && artifacts === 'in a tar') {
    const into = { folder: `${settings.workFolder}/artifacts`, file: artifactsFile(work), signal: streams.signal }
    await host.builder.unpack(name, into)
  }
  if (withArtifacts && artifacts === 'in the container') {
    const from = { container: save, folder: `${settings.workFolder}/artifacts` }
    await host.builder.hand(from, { container: name, below: settings.workFolder, signal: streams.signal })
  }
  streams.say('Assembling\n')
  expectSuccess(work, 'assemble', await host.builder.run(name, streams))
}

/** What the script prints is the result. */
export async function applyUsage(work: BuildWork, command: readonly string[]): Promise<void> {
  const { host, request, streams, settings } = work
  const { assemble: name } = containersOf(request.id)
  await host.builder.create({ ...settings, name, image: request.image, command })
  await host.builder.put(name, goodsOf(work, undefined, await ownerIn(work, name, work.user)))
  expectSuccess(work, 'assemble', await host.builder.run(name, streams))
}

/** In every container: the scripts that come from outside, and a place for artifacts. */
function goodsOf({ folder, settings, streams }: BuildWork, tree: Tree | undefined, owner: Owner): Goods {
  return {
    below: settings.workFolder,
    parts: { folder: `${folder}/upload`, names: ['scripts', 'artifacts'] },
    ...(tree === undefined ? {} : { tree }),
    owner,
    signal: streams.signal,
  }
}

/** Files must be the container's user's, or the scripts could not move them. */
async function ownerIn({ host }: BuildWork, container: string, user: string): Promise<Owner> {
  if (isRoot(user)) return root
  const [passwd = '', group = ''] = await Promise.all(
    ['/etc/passwd', '/etc/group'].map(path => host.builder.read(container, path, limits.buildScriptBytes)),
  )
  const owner = ownerOf(user, { passwd, group })
  if (owner === undefined) throw new GearError('BUILD_FAILED', `The image has no user ${user}, though it is to run as that`)
  return owner
}

/** The script that the image starts with, where the volume with source and scripts is not. */
async function placeRun(work: BuildWork, { script }: StepOf<'placeRun'>): Promise<void> {
  const { host, request, source, folder, streams } = work
  const text =
    script.kind === 'copied'
      ? await host.files.read(`${folder}/upload/scripts/run`, limits.buildScriptBytes)
      : await readInside(host, source.folder, script.path)
  if (text === undefined) throw new GearError('BUILD_FAILED', 'The run script was taken away while the build ran')
  const name = runPath.slice(1)
  await host.files.makeFolder(`${folder}/final/${name.slice(0, name.lastIndexOf('/'))}`, 0o755)
  await host.files.write(`${folder}/final/${name}`, text, 0o755)
  const parts = { folder: `${folder}/final`, names: [name] }
  await host.builder.put(containersOf(request.id).assemble, { below: '/', parts, owner: root, signal: streams.signal })
}

function commit({ host, request, streams }: BuildWork, { command, user, labels }: StepOf<'commit'>): Promise<string> {
  streams.say(`Committing ${request.tag}\n`)
  const image = { name: request.tag, command, labels, ...(user === undefined ? {} : { user }) }
  return host.builder.commit(containersOf(request.id).assemble, image)
}

/** The build has succeeded by then: an image that is still in use stays, and that is told. */
async function removePrevious(
  { host, streams }: BuildWork,
  { imageId: previous }: StepOf<'removePrevious'>,
  imageId: string,
): Promise<void> {
  if (previous === imageId) return
  const why = await host.builder.removeImage(previous).then(
    isRemoved => (isRemoved ? undefined : 'it is in use'),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  if (why !== undefined) streams.say(`The previous image ${previous} stays: ${why}\n`)
}

function expectSuccess({ lastLines, settings }: BuildWork, script: string, { exitCode, isOutOfMemory }: BuildRun): void {
  if (exitCode === 0) return
  const mebibytes = Math.round(settings.memoryBytes / 1_048_576)
  // Podman does not always know why its container was killed
  const isKilled = exitCode === 137 && mebibytes > 0
  const guess = isKilled ? `, as one does that is killed: it may have needed more than its memory limit of ${mebibytes} MiB` : ''
  const why = isOutOfMemory ? `needed more than its memory limit of ${mebibytes} MiB` : `ended with exit code ${exitCode}${guess}`
  throw new GearError('BUILD_FAILED', `${script} ${why}`, { data: { script, exitCode, isOutOfMemory, lines: lastLines() } })
}
