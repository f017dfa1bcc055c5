/**
 * The operations on repositories. Making and removing is done by transient units, which an end of the agent does not touch; here they are started,
 * watched and joined. Archives are read as the account that owns the repository.
 */
import {
  type ArchiveFormat,
  type BytesResult,
  type Caller,
  type CloneUrl,
  createRepositoryUnit,
  deleteRepositoryUnit,
  type EngineKind,
  GearError,
  type GitRef,
  type HostKeyFingerprint,
  type ImageName,
  inputInvalid,
  isId,
  type ListedRepository,
  limits,
  loginOf,
  type RepositoryBuild,
  type RepositoryId,
  type RequestId,
  type UnitName,
} from '../../api/index.ts'
import { type CloneSource, FormatError, parseCloneSource, parseGitRevision } from '../../formats/index.ts'
import type { Host, RepositoryPlace, TransientUnit } from '../../host/index.ts'
import type { DryRun, NamedStepObserver } from '../../lib/index.ts'
import { linesOfJob } from '../jobs/index.ts'
import { repositoriesFolder, repositoryPaths } from '../layout/index.ts'
import type { PublicKey } from './clone-key.ts'
import { lookAtRepository } from './look.ts'
import { makeRepositoryKey, repositoryExists } from './maker.ts'
import { planKey, planMake, planRemove } from './plan.ts'
import { withProgress } from './progress.ts'
import { archiveName, branchOf, type Githost, refWithoutSuffix } from './repository.ts'
import { readBuild, readGithost } from './store.ts'

export interface RepositoryRequest {
  readonly id: RepositoryId
  readonly requestId: RequestId
  readonly signal: AbortSignal
  readonly dryRun: DryRun | undefined
}

export interface CreateRequest extends RepositoryRequest {
  readonly source: CloneUrl | undefined
  readonly build: RepositoryBuild | undefined
  readonly githost?: ImageName | undefined
  /** Of the container that git runs in. */
  readonly engine?: EngineKind | undefined
  /** By which the host of an ssh source is known. */
  readonly hostKey?: HostKeyFingerprint | undefined
  /** Whether how far a clone is is told as often as it changes, in pieces that end with a carriage return. */
  readonly isLive?: boolean | undefined
  readonly caller: Caller
}

export interface ArchiveRequest {
  readonly id: RepositoryId
  readonly ref: GitRef
  readonly format: ArchiveFormat | undefined
  readonly mediaTypes: readonly string[]
}

const mediaTypes: Readonly<Record<ArchiveFormat, string>> = { zip: 'application/zip', 'tar.gz': 'application/gzip' }
/** The program that the units run; it is where an administrator finds it too. */
const gear = '/usr/bin/gear'

export class Repositories {
  readonly #host: Host
  readonly #observe: NamedStepObserver
  /** Repositories that are being made, so that a second request is refused at once. */
  readonly #making = new Set<RepositoryId>()

  constructor(host: Host, observe: NamedStepObserver = () => undefined) {
    this.#host = host
    this.#observe = observe
  }

  /** Begins to make a repository. Throws REPOSITORY_EXISTS; what fails later is thrown by the text, whose last words are of the end. */
  async create(request: CreateRequest): Promise<AsyncIterable<string>> {
    const { id, caller, dryRun } = request
    const source = request.source === undefined ? undefined : parseCloneSource(request.source)
    if (source?.kind === 'file') requireInRoot(source, this.#host.paths.cloneRoot)
    if (source?.kind === 'remote' && !caller.isRoot && (await this.#host.network.isOwnOrLocal(source.host))) throw sourceRefused()
    requireSsh(source, request.hostKey)
    const found = await lookAtRepository(this.#host, id)
    if (found.exists) throw repositoryExists(id)
    const githost = await this.#githost(request)
    if (dryRun !== undefined) {
      dryRun.add(planMake(found, { source, build: request.build, githost, hostKey: request.hostKey, mayReachHost: caller.isRoot }))
      return nothing()
    }
    if (this.#making.has(id)) throw new GearError('REPOSITORY_EXISTS', `Repository ${id} is being created already`)
    this.#making.add(id)
    return this.#create(request, githost)
  }

  /** The engine is settled here: a repository stays on it, whatever the host's becomes. */
  async #githost({ githost: image, engine }: CreateRequest): Promise<Githost | undefined> {
    if (image !== undefined) return { image, engine: engine ?? (await this.#host.engines.choose()).kind }
    if (engine === undefined) return undefined
    throw inputInvalid([{ field: 'Engine', rule: 'is for the container that git runs in, so it needs Githost' }])
  }

  async *#create(request: CreateRequest, githost: Githost | undefined): AsyncGenerator<string> {
    const { id, requestId, source, build, hostKey, isLive = false, caller, signal } = request
    try {
      const unit = this.#unit(createRepositoryUnit(requestId), `Create the repository ${id}`, [
        'init-repo',
        ...buildFlags(build),
        ...(githost === undefined ? [] : [`--githost=${githost.image}`, `--engine=${githost.engine}`]),
        ...(hostKey === undefined ? [] : [`--host-key=${hostKey}`]),
        ...(caller.isRoot ? [] : ['--not-this-host']),
        '--',
        id,
        ...(source === undefined ? [] : [source]),
      ])
      const job = linesOfJob(this.#host, unit, signal)
      let failure: string | undefined
      for await (const piece of isLive ? withProgress(this.#host, id, job.lines) : wholeLines(job.lines)) {
        const reason = failureIn(piece)
        if (reason === undefined) yield piece
        else failure = reason
      }
      const { result, exitCode } = await job.end
      if (result !== 'success' || exitCode !== 0) throw createFailed(id, failure ?? endText(result))
      yield `Repository ${id} is created; clone it with: git clone ${loginOf('repository', id)}@HOST:~\n`
    } finally {
      this.#making.delete(id)
    }
  }

  /** Throws REPOSITORY_UNKNOWN. */
  async get(id: RepositoryId): Promise<ListedRepository> {
    await this.#require(id)
    return this.#listed(id)
  }

  async list(): Promise<readonly ListedRepository[]> {
    const entries = await this.#host.files.list(repositoriesFolder(this.#host.paths))
    const ids = entries.flatMap(({ name, kind }) => (kind === 'directory' && isId(name) ? [name] : []))
    return Promise.all(ids.map(id => this.#listed(id)))
  }

  /** The key with which it is cloned over ssh; it is made where there is none, also before the repository is. */
  async key({ id, dryRun }: Pick<RepositoryRequest, 'id' | 'dryRun'>): Promise<PublicKey> {
    if (dryRun === undefined) return makeRepositoryKey(this.#host, id, (step, when) => this.#observe(id, step, when))
    dryRun.add(planKey(await lookAtRepository(this.#host, id)))
    return { publicKey: '', sha256: '' }
  }

  /** Removes a repository and waits until it is gone. An unknown id is no error. */
  async delete({ id, requestId, signal, dryRun }: RepositoryRequest): Promise<void> {
    const found = await lookAtRepository(this.#host, id)
    const steps = planRemove(found)
    if (dryRun !== undefined) return dryRun.add(steps)
    if (steps.length === 0) return
    if (this.#making.has(id)) throw new GearError('REPOSITORY_BUSY', `Repository ${id} is being created`, { retryAfterSeconds: 5 })
    const unit = this.#unit(deleteRepositoryUnit(requestId), `Delete the repository ${id}`, ['init-repo', '--remove', '--', id])
    const job = linesOfJob(this.#host, unit, signal)
    let failure: string | undefined
    for await (const line of job.lines) failure = failureIn(line) ?? failure
    const { result, exitCode } = await job.end
    if (result === 'success' && exitCode === 0) return
    throw new GearError('COMMAND_FAILED', `Repository ${id} could not be removed`, {
      cause: new Error(failure ?? endText(result)),
    })
  }

  /** Throws REPOSITORY_UNKNOWN, REF_UNKNOWN and COMMIT_TOO_LARGE before anything is packed. */
  async archive({ id, ref, format, mediaTypes: accepted }: ArchiveRequest): Promise<BytesResult> {
    await this.#require(id)
    const place = { ...this.#place(id), isInContainer: (await readGithost(this.#host, id)) !== undefined }
    const found = (await this.#commitOf(place, ref)) ?? (await this.#commitWithoutSuffix(place, ref))
    if (found === undefined) throw new GearError('REF_UNKNOWN', `Repository ${id} has nothing that is called ${ref}`)
    await this.#host.git.requireSize(place, found.commit)
    const chosen = format ?? found.format ?? (isGzipWanted(accepted) ? 'tar.gz' : 'zip')
    return {
      bytes: this.#host.git.archive(place, { commit: found.commit, format: chosen }),
      mediaType: mediaTypes[chosen],
      fileName: archiveName(id, found.ref, chosen),
    }
  }

  /** The original gave every repository a branch `master`, and archived no other: programs ask for it where the branch has another name today. */
  async #commitOf(place: RepositoryPlace, ref: GitRef) {
    const { git } = this.#host
    const commit = (await git.commitOf(place, ref)) ?? (ref === 'master' ? await git.commitOf(place, 'HEAD' as GitRef) : undefined)
    return commit === undefined ? undefined : { commit, ref, format: undefined }
  }

  async #commitWithoutSuffix(place: RepositoryPlace, ref: GitRef) {
    const shorter = refWithoutSuffix(ref)
    if (shorter === undefined || !isRef(shorter.ref)) return undefined
    const commit = await this.#host.git.commitOf(place, shorter.ref)
    return commit === undefined ? undefined : { commit, ...shorter }
  }

  #unit(name: UnitName, description: string, args: readonly string[]): TransientUnit {
    return {
      name,
      description,
      command: [gear, ...args],
      slice: 'githost.slice' as UnitName,
      variables: {
        GEARD_BASE_PATH: this.#host.paths.base,
        GEARD_RUN_PATH: this.#host.paths.run,
        GEARD_CLONE_ROOT: this.#host.paths.cloneRoot,
      },
      tasksMax: limits.repositoryTasks,
      runMs: limits.repositoryCreateMs,
    }
  }

  #place(id: RepositoryId): RepositoryPlace {
    return { path: repositoryPaths(this.#host.paths, id).repository, account: loginOf('repository', id) }
  }

  async #listed(id: RepositoryId): Promise<ListedRepository> {
    const [head, build, githost] = await Promise.all([
      this.#host.files.read(`${this.#place(id).path}/HEAD`),
      readBuild(this.#host, id),
      readGithost(this.#host, id),
    ])
    return {
      id,
      branch: branchOf(head ?? ''),
      account: loginOf('repository', id),
      image: build?.tag,
      container: build?.restart,
      githost: githost?.image,
      engine: githost?.engine,
    }
  }

  #exists(id: RepositoryId): Promise<boolean> {
    return this.#host.files.exists(repositoryPaths(this.#host.paths, id).repository)
  }

  async #require(id: RepositoryId): Promise<void> {
    if (!(await this.#exists(id))) throw new GearError('REPOSITORY_UNKNOWN', `There is no repository ${id} on this host`)
  }
}

async function* nothing(): AsyncGenerator<string> {}

async function* wholeLines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

function requireSsh(source: CloneSource | undefined, hostKey: HostKeyFingerprint | undefined): void {
  if (hostKey === undefined || (source?.kind === 'remote' && source.protocol === 'ssh')) return
  throw inputInvalid([{ field: 'HostKey', rule: 'is for a source that is reached by ssh' }])
}

function sourceRefused(): GearError {
  return inputInvalid([{ field: 'source', rule: 'must not be an address of this host or of its local network' }])
}

/** Told before any work begins; git's own adapter looks at the real path again. */
function requireInRoot({ path }: Extract<CloneSource, { readonly kind: 'file' }>, cloneRoot: string): void {
  if (!path.startsWith(`${cloneRoot}/`)) throw inputInvalid([{ field: 'source', rule: `must be below ${cloneRoot} when it is a file` }])
}

function buildFlags(build: RepositoryBuild | undefined): readonly string[] {
  if (build === undefined) return []
  return [`--build=${build.baseImage}`, `--tag=${build.tag}`, ...(build.restart === undefined ? [] : [`--restart=${build.restart}`])]
}

/** The reason in the last line of a unit that failed, which `gear init-repo` writes. */
function failureIn(line: string): string | undefined {
  return /^Error: (.*)$/m.exec(line)?.[1]
}

function endText(result: string): string {
  return result === 'timeout' ? 'it took too long' : `its unit ended with ${result}`
}

function createFailed(id: RepositoryId, why: string): GearError {
  return new GearError('REPOSITORY_CREATE_FAILED', `Repository ${id} could not be created`, { cause: new Error(why) })
}

function isGzipWanted(accepted: readonly string[]): boolean {
  return accepted.some(type => ['application/gzip', 'application/x-gzip', 'application/x-gtar', 'application/x-tar+gzip'].includes(type))
}

function isRef(text: string): text is GitRef {
  try {
    return parseGitRevision(text) === text
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}
