/** Carries the steps of a build out, one function each. Containers are made here and removed by whoever runs the build. */
import { isDeepStrictEqual } from 'node:util'
import { GearError, limits } from '../../api/index.ts'
import type { BuildContainer, BuildRun, Goods, Host, Owner, Streams, Tree } from '../../host/index.ts'
import { type BuildRequest, containersOf } from './build.ts'
import { type FoundSource, readInside } from './look.ts'
import { isRoot, ownerNeeds, ownerOf, root } from './owner.ts'
import { type Assembling, artifactsFolder, artifactsPath, type BuildPlan, type BuildStep, runPath } from './plan.ts'
import { copiedFolders } from './scripts.ts'

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

/** The container for a script, which may be there before it is known what else there is to do. */
export interface MadeContainer {
  readonly command: readonly string[]
  /** Whose its files are to be. */
  readonly owner: Promise<Owner>
}

/** What goes on beside the steps. */
interface Meanwhile {
  /** The container for assemble, made and filled while artifacts are saved in another: the engine's commands take their time. */
  readonly next: { readonly user: string | undefined; readonly made: Promise<MadeContainer>; readonly filled: Promise<void> }
  /** What is removed as soon as nobody needs it. */
  readonly cleared: Promise<void>[]
}

/** The id of the image. */
export async function applyBuild(work: BuildWork, { steps }: BuildPlan, before?: MadeContainer): Promise<string> {
  const step = steps.find(each => each.kind === 'assemble')
  if (step === undefined) throw new Error('a build without assemble was planned')
  const made = containerFor(work, step, before)
  const filled = made.then(({ owner }) => fillAssemble(work, step, owner))
  filled.catch(() => undefined)
  const cleared: Promise<void>[] = []
  try {
    return await carryOut(work, steps, { next: { user: step.user, made, filled }, cleared })
  } finally {
    // or it would be made after it was cleared away
    await filled.catch(() => undefined)
    await Promise.all(cleared)
  }
}

async function carryOut(work: BuildWork, steps: BuildPlan['steps'], { next, cleared }: Meanwhile): Promise<string> {
  let imageId = ''
  for (const step of steps) {
    work.streams.signal.throwIfAborted()
    switch (step.kind) {
      case 'saveArtifacts':
        await saveArtifacts(work, step, next)
        // whoever clears up after the build does it again
        cleared.push(work.host.builder.remove([containersOf(work.request.id).save]).catch(() => undefined))
        break
      case 'assemble':
        await next.filled
        await assemble(work)
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
 * Today's scripts print a tar; the original's filled the folder `artifacts`. Either goes straight into the container for assemble and is unpacked
 * nowhere else: a script that fails on its way ends the build, and what it left goes with the container.
 */
async function saveArtifacts(work: BuildWork, { image, script, command }: StepOf<'saveArtifacts'>, next: Meanwhile['next']): Promise<void> {
  const { host, request, settings, streams, source } = work
  const { save, assemble: name } = containersOf(request.id)
  streams.say(`Saving artifacts of ${request.tag}\n`)
  await host.builder.create({ ...settings, name: save, image, command })
  const inner = script.kind === 'source' ? script.path.slice(0, script.path.lastIndexOf('/')) : undefined
  const tree: Tree | undefined =
    inner === undefined ? undefined : { folder: `${source.folder}/${inner}`, as: `src/${inner}`, without: [], withoutNamed: [] }
  // a number is the same in both images
  const isSame = next.user === undefined && /^\d+(?::|$)/.test(work.user)
  const owner = isSame ? (await next.made).owner : ownerIn(work, save, work.user)
  const goods = goodsOf(work, tree, await owner)
  await host.builder.put(save, { ...goods, parts: [...goods.parts, { folder: `${work.folder}/upload`, names: ['artifacts'] }] })
  await next.filled
  const into = { container: name, folder: artifactsPath, maxBytes: limits.buildArtifactsBytes }
  const run = await host.builder.run(save, { ...streams, into })
  expectSuccess(work, 'save-artifacts', run)
  if (run.isUnpacked) return
  const from = { container: save, folder: `${settings.workFolder}/artifacts` }
  await host.builder.hand(from, { container: name, below: artifactsFolder, signal: streams.signal })
}

/** Its files may be put into it when its owner is known, which is looked up meanwhile. */
export async function makeAssemble(work: BuildWork, { command, user }: Pick<Assembling, 'command' | 'user'>): Promise<MadeContainer> {
  const { host, request, settings } = work
  const { assemble: name } = containersOf(request.id)
  await host.builder.create({ ...settings, name, image: request.image, command, ...(user === undefined ? {} : { user }) })
  const owner = ownerIn(work, name, user ?? work.user)
  owner.catch(() => undefined)
  return { command, owner }
}

/** The container, made anew unless it was made for this. */
async function containerFor(
  work: BuildWork,
  assembling: Pick<Assembling, 'command' | 'user'>,
  made: MadeContainer | undefined,
): Promise<MadeContainer> {
  if (made !== undefined && isDeepStrictEqual(made.command, assembling.command)) return made
  if (made !== undefined) {
    await made.owner.catch(() => undefined)
    await work.host.builder.remove([containersOf(work.request.id).assemble])
  }
  return makeAssemble(work, assembling)
}

/** The source comes into it and, when there will be artifacts, a place for them: scripts take that for a sign that there are. */
async function fillAssemble(work: BuildWork, { withArtifacts }: StepOf<'assemble'>, ownerOfAll: Promise<Owner>): Promise<void> {
  const { host, request, tree, folder, streams } = work
  const { assemble: name } = containersOf(request.id)
  const owner = await ownerOfAll
  const goods = goodsOf(work, tree, owner)
  if (!withArtifacts) return host.builder.put(name, goods)
  const place = artifactsPath.slice(1)
  await host.files.makeFolder(`${folder}/layer/${place}`, 0o755)
  await host.files.makeFolder(`${folder}/linked`, 0o755)
  await host.files.link(artifactsPath, `${folder}/linked/artifacts`)
  await host.builder.put(name, { below: '/', parts: [{ folder: `${folder}/layer`, names: [place] }], owner, signal: streams.signal })
  await host.builder.put(name, { ...goods, parts: [...goods.parts, { folder: `${folder}/linked`, names: ['artifacts'] }] })
}

async function assemble(work: BuildWork): Promise<void> {
  const { host, request, streams } = work
  streams.say('Assembling\n')
  expectSuccess(work, 'assemble', await host.builder.run(containersOf(request.id).assemble, streams))
}

/** What the script prints is the result. */
export async function applyUsage(work: BuildWork, command: readonly string[], made: MadeContainer | undefined): Promise<void> {
  const { host, request, streams } = work
  const { assemble: name } = containersOf(request.id)
  const { owner } = await containerFor(work, { command, user: undefined }, made)
  await host.builder.put(name, goodsOf(work, undefined, await owner))
  expectSuccess(work, 'usage', await host.builder.run(name, streams))
}

/** In every container: the scripts that come from outside. */
function goodsOf({ folder, settings, streams }: BuildWork, tree: Tree | undefined, owner: Owner): Goods & Required<Pick<Goods, 'parts'>> {
  return {
    below: settings.workFolder,
    parts: [{ folder: `${folder}/upload`, names: copiedFolders }],
    ...(tree === undefined ? {} : { tree }),
    owner,
    signal: streams.signal,
  }
}

/** Files must be the container's user's, or the scripts could not move them. */
async function ownerIn({ host }: BuildWork, container: string, user: string): Promise<Owner> {
  if (isRoot(user)) return root
  const read = async (path: string, isNeeded: boolean) =>
    (isNeeded ? await host.builder.read(container, path, limits.buildScriptBytes) : undefined) ?? ''
  const needs = ownerNeeds(user)
  const [passwd, group] = await Promise.all([read('/etc/passwd', needs.passwd), read('/etc/group', needs.group)])
  const owner = ownerOf(user, { passwd, group })
  if (owner === undefined) throw new GearError('BUILD_FAILED', `The image has no user ${user}, though it is to run as that`)
  return owner
}

/** The script that the image starts with, where the volume with source and scripts is not. */
async function placeRun(work: BuildWork, { script }: StepOf<'placeRun'>): Promise<void> {
  const { host, request, source, folder, streams } = work
  const text =
    script.kind === 'copied'
      ? await host.files.read(`${folder}/upload/${script.folder}/run`, limits.buildScriptBytes)
      : await readInside(host, source.folder, script.path)
  if (text === undefined) throw new GearError('BUILD_FAILED', 'The run script was taken away while the build ran')
  const name = runPath.slice(1)
  await host.files.makeFolder(`${folder}/final/${name.slice(0, name.lastIndexOf('/'))}`, 0o755)
  await host.files.write(`${folder}/final/${name}`, text, 0o755)
  const parts = [{ folder: `${folder}/final`, names: [name] }]
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
  const guess = isKilled
    ? `, as one does that is killed: it may have needed more than its memory limit of ${mebibytes} MiB, or its engine was restarted`
    : ''
  const why = isOutOfMemory ? `needed more than its memory limit of ${mebibytes} MiB` : `ended with exit code ${exitCode}${guess}`
  throw new GearError('BUILD_FAILED', `${script} ${why}`, { data: { script, exitCode, isOutOfMemory, lines: lastLines() } })
}
