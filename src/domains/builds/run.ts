/**
 * One build from beginning to end (spec §12.2): look, plan, apply, tell. It runs in the process of whoever asked: a command, or the unit that an
 * agent started. Whatever happens, its containers, their volumes and its folder are gone afterwards; what a killed one left behind is
 * cleared up by the next.
 */
import { asGearError, explain, GearError, limits, type RequestId } from '../../api/index.ts'
import { printEnvironment } from '../../formats/index.ts'
import type { BuilderImage, Host, Lock, Streams } from '../../host/index.ts'
import { applyBuild, applyUsage, type BuildWork, type MadeContainer, makeAssemble } from './apply.ts'
import { type BuildRequest, type Built, containersOf } from './build.ts'
import { LastLines } from './last-lines.ts'
import { findImage, findScripts, findSource, findVariables, sourceTree } from './look.ts'
import { type Assembling, planAssembling, planBuild, planUsage } from './plan.ts'
import { copiedFolders, type ScriptName, type Scripts, scriptNames, usageNames, workFolderOf } from './scripts.ts'

export type BuildRunHost = Pick<Host, 'builder' | 'git' | 'files' | 'network' | 'clock'>

export interface BuildRunOptions extends Streams {
  /** Folder that the build's own is made in: one that only root writes, or one that anybody may. */
  readonly workRoot: string
  /** Whether what killed builds left there is cleared up; only where nobody else can put things. */
  readonly isSweeping: boolean
  readonly isFolderKept?: boolean
}

/** Throws a GearError, or the reason of the signal. The callback is told either way, but not of an abort. */
export async function runBuild(host: BuildRunHost, request: BuildRequest, options: BuildRunOptions): Promise<Built> {
  if (options.isSweeping) await sweepBuilds(host, options.workRoot)
  const last = new LastLines()
  const say = (text: string): unknown => {
    last.add(text)
    return options.say(text)
  }
  const streams = { signal: options.signal, say }
  try {
    const built = await inFolder(host, request.id, options, folder => build(host, request, { streams, folder, last }))
    say(`Built ${request.tag} (${built.imageId})\n`)
    await callBack(host, request, { isSuccess: true, lines: [`Built ${request.tag} (${built.imageId})`] }, say)
    return built
  } catch (error) {
    options.signal.throwIfAborted()
    const lines = [`Could not build ${request.tag}: ${explain(asGearError(error))}`, ...last.lines]
    await callBack(host, request, { isSuccess: false, lines }, say)
    throw error
  }
}

/** Runs the script usage of a builder image or, in images that have none, assemble with -h (spec §12.2). */
export async function runUsage(host: BuildRunHost, request: BuildRequest, options: BuildRunOptions): Promise<void> {
  if (options.isSweeping) await sweepBuilds(host, options.workRoot)
  await inFolder(host, request.id, options, async folder => {
    const image = await findImage(host, request.image, options)
    const source = { folder, only: 'none', commit: undefined }
    const work = await workOf(host, request, { image, source, tree: undefined, folder, streams: options, lastLines: () => [] })
    const commandFor = (scripts: Scripts) => ({ command: planUsage(request, scripts, work.settings.workFolder), user: undefined })
    const { scripts, made } = await findScriptsOf(host, work, { image, wanted: usageNames, commandFor })
    await applyUsage(work, commandFor(scripts).command, made)
  })
}

interface Surroundings {
  readonly streams: Streams
  readonly folder: string
  readonly last: LastLines
}

async function build(host: BuildRunHost, request: BuildRequest, { streams, folder, last }: Surroundings): Promise<Built> {
  const { builder } = host
  const [image, previous] = await Promise.all([findImage(host, request.image, streams), builder.image(request.tag)])
  const source = await findSource(host, request, `${folder}/src`, streams)
  const tree = await sourceTree(host, source)
  const work = await workOf(host, request, { image, source, tree, folder, streams, lastLines: () => last.lines })
  const { workFolder } = work.settings
  const commandFor = (likely: Scripts) => planAssembling(request, likely, { image, previous, workFolder })
  const { scripts, made } = await findScriptsOf(host, work, { image, wanted: scriptNames, commandFor })
  const plan = planBuild(request, { image, previous, scripts, commit: source.commit, workFolder })
  if (request.isVerbose) for (const { kind, reason } of plan.steps) streams.say(`Step ${kind}: ${reason}\n`)
  const imageId = await applyBuild(work, plan, made)
  return { imageId, commit: source.commit, isIncremental: plan.isIncremental }
}

type WorkParts = Pick<BuildWork, 'source' | 'tree' | 'folder' | 'streams' | 'lastLines'> & { readonly image: BuilderImage }

/** What all containers of the build have in common, with what they need on the host. */
async function workOf(host: BuildRunHost, request: BuildRequest, { image, ...parts }: WorkParts): Promise<BuildWork> {
  const { files } = host
  const { folder, source } = parts
  for (const name of [...copiedFolders, 'artifacts']) await files.makeFolder(`${folder}/upload/${name}`, 0o755)
  const variables = await findVariables(host, request, source)
  const variablesFile = `${folder}/environment`
  await files.write(variablesFile, printEnvironment(variables), 0o600)
  const { memoryBytes, cpus, pids, network } = request
  const settings = {
    slice: 'container-build.slice',
    memoryBytes,
    cpus,
    pids,
    workFolder: workFolderOf(image),
    ...(network === undefined ? {} : { network }),
    ...(variables.length === 0 ? {} : { variablesFile }),
  }
  return { ...parts, host, request, user: image.user, settings }
}

interface ScriptsSought {
  readonly image: BuilderImage
  readonly wanted: readonly ScriptName[]
  /** For the container in which they run. */
  readonly commandFor: (scripts: Scripts) => Pick<Assembling, 'command' | 'user'>
}

/**
 * A folder of the builder image is looked at in the container that a script of it is likely to run in, which need not run for that. It is `made`
 * by then.
 */
async function findScriptsOf(
  host: BuildRunHost,
  work: BuildWork,
  { image, wanted, commandFor }: ScriptsSought,
): Promise<{ readonly scripts: Scripts; readonly made: MadeContainer | undefined }> {
  const { request, source, folder, streams } = work
  let made: MadeContainer | undefined
  const listImage = async (inner: string, likely: Scripts) => {
    made = await makeAssemble(work, commandFor(likely))
    return (await host.builder.list(containersOf(request.id).assemble, inner)) ?? []
  }
  const scripts = await findScripts(host, { request, image, source, wanted, folder: `${folder}/upload`, listImage, streams })
  return { scripts, made }
}

const lockName = 'lock'
/** Marks a folder that a user keeps. */
const keptName = 'kept'

/** Makes the folder of a build, which nobody else can have made, and leaves nothing of the build. */
async function inFolder<Result>(
  host: BuildRunHost,
  id: RequestId,
  { workRoot: root, isFolderKept = false, say }: BuildRunOptions,
  task: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = `${root}/${folderPrefix}${id}`
  await host.files.makeFolder(root, 0o700)
  const made = await host.files.makeFolder(folder, 0o700)
  if (made.length === 0) throw new GearError('STORAGE_FAILED', `${folder} is there already`)
  const lock = await host.files.lock(`${folder}/${lockName}`)
  try {
    return await task(folder)
  } finally {
    if (isFolderKept) {
      await host.files.write(`${folder}/${keptName}`, '', 0o600)
      say(`The folder of the build is ${folder}\n`)
    }
    await clear(host, id, folder, lock, isFolderKept)
  }
}

const folderPrefix = 'gear-build-'

/** Removes what builds left that were killed: nobody holds their locks. */
export async function sweepBuilds(host: BuildRunHost, root: string): Promise<void> {
  for (const { name, kind } of await host.files.list(root)) {
    const id = new RegExp(`^${folderPrefix}([A-Za-z0-9_-]{22})$`).exec(name)?.[1]
    if (id === undefined || kind !== 'directory') continue
    if (await host.files.exists(`${root}/${name}/${keptName}`)) continue
    const lock = await host.files.lock(`${root}/${name}/${lockName}`)
    if (lock !== undefined) await clear(host, id as RequestId, `${root}/${name}`, lock)
  }
}

/** The folder goes last: while it is there, the containers are known. */
async function clear(host: BuildRunHost, id: RequestId, folder: string, lock: Lock | undefined, isFolderKept = false): Promise<void> {
  const isGone = await host.builder.remove(Object.values(containersOf(id))).then(
    () => true,
    () => false,
  )
  if (isGone && !isFolderKept) await host.files.removeTree(folder)
  await lock?.[Symbol.asyncDispose]()
}

const callsMax = 3
const callPauseMs = 1000

/** Any answer ends it; only a call that got none is repeated. That nobody could be told is no failure of the build. */
async function callBack(
  { network, clock }: BuildRunHost,
  { callbackUrl, mayReachHost }: BuildRequest,
  { isSuccess, lines }: { readonly isSuccess: boolean; readonly lines: readonly string[] },
  say: Streams['say'],
): Promise<void> {
  if (callbackUrl === undefined) return
  const json = JSON.stringify({ payload: lines.join('\n'), success: isSuccess })
  for (let call = 1; ; call++) {
    try {
      const status = await network.postJson(callbackUrl, json, { timeoutMs: limits.callbackMs, mayReachHost })
      if (status >= 300) await say(`The callback was answered with ${status}\n`)
      return
    } catch (error) {
      if (call === callsMax) return void say(`${explain(asGearError(error))}\n`)
      await clock.sleep(callPauseMs)
    }
  }
}
