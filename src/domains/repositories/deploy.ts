/**
 * From a push to a running container: the files of the default branch are written out as the account of the repository, built into an image, and
 * the container is restarted with it. Whoever asks has no say in what is built. One at a time per repository; until the build has succeeded the
 * container is not touched. What has begun is noted on disk: where an agent ends before it, the next one takes it up, with the build that went on
 * by itself.
 */
import {
  type Caller,
  type ContainerId,
  GearError,
  type GitRef,
  limits,
  loginOf,
  type RepositoryBuild,
  type RepositoryDeployEvent,
  type RepositoryId,
  type RequestId,
} from '../../api/index.ts'
import { newRequestId } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { type DryRun, KeyedMutex, type Step } from '../../lib/index.ts'
import { folderOf, modes, repositoryPaths } from '../layout/index.ts'
import { branchOf, type Deploys, isSameDeploys } from './repository.ts'
import { readBuild, readDeploys, writeDeploys } from './store.ts'

export interface DeployRequest {
  readonly id: RepositoryId
  readonly requestId: RequestId
  readonly signal: AbortSignal
  readonly dryRun?: DryRun | undefined
}

/** What a deployment needs of other domains. */
export interface DeployHands {
  /** Builds an image from a folder and says how it goes on; throws when that fails. */
  readonly build: (asked: BuildOrder) => Promise<AsyncIterable<string>>
  /** The output of a build that an earlier agent began, as `build` gives it; undefined when the build came to no end of its own. */
  readonly takeUpBuild: (requestId: RequestId, signal: AbortSignal) => Promise<AsyncIterable<string> | undefined>
  /** Resolves when the build has ended. One that is not known has. */
  readonly stopBuild: (requestId: RequestId) => Promise<void>
  /** Gives an installed container another image where it has another, and restarts it. Throws CONTAINER_UNKNOWN. */
  readonly restartWith: (container: ContainerId, image: RepositoryBuild['tag'], requestId: RequestId) => Promise<void>
  /** Resolves when the container runs. Throws with the reason when it does not come up. */
  readonly started: (container: ContainerId, signal: AbortSignal) => Promise<void>
  /** What `build` would do, and then `restartWith`, if the container is there. */
  readonly planBuild: (asked: Omit<BuildOrder, 'signal'>, dryRun: DryRun) => Promise<void>
  readonly planRestart: (container: ContainerId, image: RepositoryBuild['tag'], requestId: RequestId, dryRun: DryRun) => Promise<void>
}

export interface BuildOrder extends Pick<RepositoryBuild, 'baseImage' | 'tag'> {
  readonly source: string
  readonly requestId: RequestId
  readonly caller: Caller
  readonly signal: AbortSignal
}

export class RepositoryDeployments {
  readonly #host: Host
  readonly #hands: DeployHands
  readonly #turns = new KeyedMutex()
  readonly #notes = new KeyedMutex()
  readonly #busy = new Map<RepositoryId, number>()
  /** The commit that was deployed last, while the agent runs. */
  readonly #deployed = new Map<RepositoryId, string>()

  constructor(host: Host, hands: DeployHands) {
    this.#host = host
    this.#hands = hands
  }

  /** Throws REPOSITORY_UNKNOWN, REPOSITORY_WITHOUT_BUILD and REPOSITORY_BUSY. What fails later is thrown by the events. */
  async deploy(request: DeployRequest): Promise<AsyncIterable<RepositoryDeployEvent>> {
    const { id } = request
    await this.#require(id).catch(async (error: unknown) => {
      if (request.dryRun === undefined) await this.#note(id, () => nothingBegun)
      throw error
    })
    const build = await readBuild(this.#host, id)
    if (build === undefined) {
      if (request.dryRun === undefined) await this.#note(id, () => nothingBegun)
      throw new GearError('REPOSITORY_WITHOUT_BUILD', `Pushes to ${id} are not built`)
    }
    const waiting = (this.#busy.get(id) ?? 1) - 1
    if (request.dryRun === undefined && waiting >= limits.deploysWaiting) {
      throw new GearError('REPOSITORY_BUSY', `${waiting} deployments of ${id} wait already; the next of them builds what is there then`, {
        retryAfterSeconds: 30,
      })
    }
    if (request.dryRun === undefined) return this.#deploy(request, build)
    await this.#plan(request, build, request.dryRun)
    return nothing()
  }

  /** In the words of a plan, what `#inTurn` does. */
  async #plan({ id, requestId }: DeployRequest, { baseImage, tag, restart }: RepositoryBuild, dryRun: DryRun): Promise<void> {
    const commit = (await this.#tip(id)).slice(0, 10)
    const { checkout, deploys } = repositoryPaths(this.#host.paths, id)
    const steps: readonly PathStep[] = [
      { kind: 'noteDeploy', path: deploys, reason: 'the next agent brings to its end what this one may not' },
      { kind: 'checkOut', path: checkout, reason: `${commit} is on the default branch of ${id}` },
    ]
    dryRun.add(steps)
    await this.#hands.planBuild({ source: checkout, baseImage, tag, requestId, caller: { isRoot: true } }, dryRun)
    dryRun.add([{ kind: 'removeFolder', path: checkout, reason: 'the image has what was in it' } as PathStep])
    if (restart === undefined) return
    try {
      await this.#hands.planRestart(restart, tag, requestId, dryRun)
    } catch (error) {
      // then the push ends with the image, and says so
      if (!(error instanceof GearError) || error.code !== 'CONTAINER_UNKNOWN') throw error
    }
  }

  async *#deploy(request: DeployRequest, build: RepositoryBuild): AsyncGenerator<RepositoryDeployEvent> {
    const { id, requestId } = request
    const before = this.#busy.get(id) ?? 0
    this.#busy.set(id, before + 1)
    const turn = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    let isTurn = false
    void this.#turns.run(id, async () => {
      isTurn = true
      turn.resolve()
      await over.promise
    })
    try {
      await this.#note(id, ({ requests, build: begun }) => ({ requests: [...new Set([...requests, requestId])], build: begun }))
      if (before > 0) yield log(`Waiting for ${before === 1 ? 'the build' : `${before} builds`} of pushes before this one`)
      await turn.promise
      yield* this.#inTurn(request, build, before > 0)
    } finally {
      // a failure is an end as well
      await this.#note(id, ({ requests, build: begun }) => ({
        requests: requests.filter(each => each !== requestId),
        build: isTurn ? undefined : begun,
      })).catch(() => undefined)
      over.resolve()
      this.#busy.set(id, (this.#busy.get(id) ?? 1) - 1)
    }
  }

  async *#inTurn(request: DeployRequest, build: RepositoryBuild, hasWaited: boolean): AsyncGenerator<RepositoryDeployEvent> {
    const { id, requestId } = request
    const commit = await this.#tip(id)
    const name = commit.slice(0, 10)
    if (hasWaited && this.#deployed.get(id) === commit) {
      yield { event: 'deployed', message: `${name} is deployed already, with the push before` }
      return
    }
    yield log(`Building ${name} into ${build.tag}`)
    yield* this.#build(request, build, commit)
    // whoever deleted it meanwhile wants nothing of it to run
    await this.#require(id)
    const { restart } = build
    if (restart === undefined) {
      this.#deployed.set(id, commit)
      yield { event: 'deployed', message: `${name} is built into ${build.tag}` }
      return
    }
    try {
      await this.#hands.restartWith(restart, build.tag, requestId)
    } catch (cause) {
      if (!(cause instanceof GearError) || cause.code !== 'CONTAINER_UNKNOWN') throw cause
      yield {
        event: 'deployed',
        message: `${name} is built into ${build.tag}. There is no container ${restart} yet: gear install ${build.tag} ${restart} --start`,
      }
      return
    }
    yield log(`Restarting ${restart}`)
    await this.#hands.started(restart, request.signal)
    this.#deployed.set(id, commit)
    yield { event: 'deployed', message: `${name} runs as ${restart}` }
  }

  async *#build(request: DeployRequest, build: RepositoryBuild, commit: string) {
    const { files, paths } = this.#host
    try {
      const text = await this.#begunBuild(request, build, commit)
      for await (const line of linesOf(text)) yield log(line)
    } finally {
      await files.removeTree(repositoryPaths(paths, request.id).checkout)
    }
  }

  /** The output of the build of this commit: of the one that goes on since an earlier agent, or of a new one. */
  async #begunBuild({ id, requestId, signal }: DeployRequest, { baseImage, tag }: RepositoryBuild, commit: string) {
    const { git, paths, clock } = this.#host
    const { build: begun } = await readDeploys(this.#host, id)
    if (begun !== undefined) {
      const isWanted = begun.commit === commit && begun.baseImage === baseImage && begun.tag === tag
      const text = isWanted ? await this.#hands.takeUpBuild(begun.requestId, signal) : undefined
      if (text !== undefined) return text
      // it reads the files that are about to be replaced, and would give the image an old state
      await this.#hands.stopBuild(begun.requestId)
    }
    const { checkout } = repositoryPaths(paths, id)
    await this.#makeCheckout(id)
    await git.checkOut(this.#place(id), { commit, folder: checkout })
    const buildId = begun === undefined ? requestId : (newRequestId(clock.randomBytes(16)) as RequestId)
    await this.#note(id, ({ requests }) => ({ requests, build: { requestId: buildId, commit, baseImage, tag } }))
    return this.#hands.build({ source: checkout, baseImage, tag, requestId: buildId, caller: { isRoot: true }, signal })
  }

  #note(id: RepositoryId, change: (known: Deploys) => Deploys): Promise<void> {
    return this.#notes.run(id, async () => {
      const known = await readDeploys(this.#host, id)
      const changed = change(known)
      if (!isSameDeploys(known, changed)) await writeDeploys(this.#host, id, changed)
    })
  }

  async #makeCheckout(id: RepositoryId): Promise<void> {
    const { files, accounts, paths } = this.#host
    const { checkout } = repositoryPaths(paths, id)
    const login = loginOf('repository', id)
    await files.removeTree(checkout)
    await files.makeFolder(checkout, modes.ownFolder)
    const account = await accounts.find(login)
    if (account === undefined) throw new GearError('ACCOUNT_FAILED', `The account ${login} is not there`)
    await accounts.own(checkout, account)
    await files.syncFolders([folderOf(checkout)])
  }

  async #require(id: RepositoryId): Promise<void> {
    const { files, paths } = this.#host
    if (!(await files.exists(repositoryPaths(paths, id).repository)))
      throw new GearError('REPOSITORY_UNKNOWN', `There is no repository ${id} on this host`)
  }

  /** The commit that the default branch stands on now. */
  async #tip(id: RepositoryId): Promise<string> {
    const place = this.#place(id)
    const branch = branchOf((await this.#host.files.read(`${place.path}/HEAD`)) ?? '')
    const commit = await this.#host.git.commitOf(place, (branch === undefined ? 'HEAD' : `refs/heads/${branch}`) as GitRef)
    if (commit === undefined) throw new GearError('REF_UNKNOWN', `Nothing was pushed to the branch ${branch} of ${id} yet`)
    return commit
  }

  #place(id: RepositoryId) {
    return { path: repositoryPaths(this.#host.paths, id).repository, account: loginOf('repository', id) }
  }
}

const nothingBegun: Deploys = { requests: [] }
type PathStep = Step & { readonly path: string }

async function* nothing(): AsyncGenerator<RepositoryDeployEvent> {}

function log(message: string): RepositoryDeployEvent {
  return { event: 'log', message }
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
