/**
 * Builds that an agent is asked for. Each is a transient unit, so it goes on whatever becomes of the agent; what is known of it is in its folder.
 * Here they are begun, followed, listed and stopped.
 */
import {
  asGearError,
  type BuildReport,
  type ErrorCode,
  errorCatalogue,
  explain,
  GearError,
  limits,
  type RequestId,
  type UnitName,
} from '../../api/index.ts'
import { printBuildSource } from '../../formats/index.ts'
import type { Host, ListedUnit, TransientEnd } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex, type NamedStepObserver } from '../../lib/index.ts'
import { lookAhead, planAhead } from './ahead.ts'
import type { BuildRequest } from './build.ts'
import { LogReader } from './kept-log.ts'
import { type BeginStep, planBegin, planStop, type StopStep } from './plan-unit.ts'
import {
  type BuildRecord,
  buildFolder,
  buildsFolder,
  buildUnit,
  digestOf,
  keptBuilds,
  readRecord,
  readRequest,
  unitIdOf,
  workRoot,
  writeRecord,
  writeRequest,
} from './record.ts'
import { sweepBuilds } from './run.ts'
import { transientUnit } from './unit.ts'

/** How often the output of a build is looked at. */
const lookMs = 150

/** How often it is looked whether a build may begin that waits; the end of one that this agent has begun is told at once. */
const turnMs = 2000

export class Builds {
  readonly #host: Host
  readonly #observe: NamedStepObserver
  readonly #locks = new KeyedMutex()
  /** The ends of builds that this agent waits for. */
  readonly #running = new Map<RequestId, Promise<void>>()
  readonly #stopped = new Set<RequestId>()
  /** Builds whose turn has not come, the first first. */
  readonly #waiting = new Map<RequestId, BuildRequest>()
  /** Builds that are known and whose unit may not be there yet. */
  readonly #beginning = new Set<RequestId>()
  #turns: Promise<void> | undefined

  constructor(host: Host, observe: NamedStepObserver = () => undefined) {
    this.#host = host
    this.#observe = observe
  }

  /**
   * Begins the build, now or when its turn comes; nothing when it was begun before. Throws REQUEST_ID_REUSED when the id was for another, and QUEUE_FULL.
   * A dry run tells what the build itself would do, too.
   */
  begin(request: BuildRequest, options: BeginOptions = {}): Promise<void> {
    return this.#locks.run('begin', () => this.#begin(request, options))
  }

  async #begin(request: BuildRequest, { dryRun, isFetched = false }: BeginOptions): Promise<void> {
    const { files, paths } = this.#host
    const folder = buildFolder(paths, request.id)
    const { id, ...asked } = request
    const digest = digestOf(asked)
    const known = await readRecord(this.#host, folder)
    if (known?.digest === digest) return
    if (known !== undefined) throw new GearError('REQUEST_ID_REUSED', `The request id ${id} was used before for a different build`)
    const before = (await this.#up()).size + this.#waiting.size
    if (before >= limits.buildsRunning + limits.buildsWaiting) {
      throw new GearError('QUEUE_FULL', `${limits.buildsRunning} builds run and ${limits.buildsWaiting} wait already`, {
        retryAfterSeconds: 30,
      })
    }
    const isWaiting = before >= limits.buildsRunning
    const steps = planBegin({ folder, unit: buildUnit(id), forgotten: await this.#forgotten() })
    this.#beginning.add(id)
    try {
      await applySteps<BeginStep>(
        steps,
        {
          forgetBuild: async ({ path }) => void (await files.removeTree(path)),
          keepRequest: () => this.#keepRequest(request, folder, { digest, isWaiting }),
          runUnit: async () => (isWaiting ? this.#wait(request) : this.#run(request, folder)),
        },
        (step, when) => this.#observe(id, step, when),
        dryRun,
      )
    } finally {
      this.#beginning.delete(id)
    }
    dryRun?.add(planAhead(request, await lookAhead(this.#host, request, { isFetched })))
  }

  async #keepRequest(request: BuildRequest, folder: string, kept: Pick<BuildRecord, 'digest' | 'isWaiting'>): Promise<void> {
    const { files, paths, clock } = this.#host
    const changed = [...(await files.makeFolder(buildsFolder(paths), 0o700)), ...(await files.makeFolder(folder, 0o700))]
    await writeRequest(this.#host, folder, request)
    const { source } = request
    await writeRecord(this.#host, folder, {
      version: 1,
      ...kept,
      source: printBuildSource(source),
      ...(source.kind === 'git' && source.ref !== undefined ? { ref: source.ref } : {}),
      baseImage: request.image,
      tag: request.tag,
      result: 'running',
      startedAt: new Date(clock.nowMs()).toISOString(),
    })
    await files.syncFolders([folder, ...changed])
  }

  async #run(request: BuildRequest, folder: string): Promise<void> {
    const { units, engines } = this.#host
    const unit = transientUnit(request, { folder, engine: (await engines.choose()).kind })
    void this.#watch(request.id, units.runTransient(unit, new AbortController().signal))
  }

  #wait(request: BuildRequest): void {
    this.#waiting.set(request.id, request)
    this.#turns ??= this.#giveTurns().finally(() => {
      this.#turns = undefined
    })
  }

  async #giveTurns(): Promise<void> {
    while (this.#waiting.size > 0) {
      const over = new AbortController()
      const pause = this.#host.clock.sleep(turnMs, over.signal).catch(() => undefined)
      await Promise.race([...this.#running.values(), pause]).catch(() => undefined)
      over.abort()
      await this.#locks.run('begin', () => this.#beginNext())
    }
  }

  async #beginNext(): Promise<void> {
    const [next] = this.#waiting.values()
    if (next === undefined) return
    const { id } = next
    const folder = buildFolder(this.#host.paths, id)
    this.#beginning.add(id)
    try {
      if ((await this.#up()).size >= limits.buildsRunning) return
      this.#waiting.delete(id)
      const { isWaiting: _isWaiting, ...record } = await this.#require(id)
      await writeRecord(this.#host, folder, record)
      await this.#run(next, folder)
    } catch (error) {
      // systemd may be away; what has begun to begin does not wait any more
      if (!this.#waiting.has(id)) await this.#settle(id, explain(asGearError(error))).catch(() => undefined)
    } finally {
      this.#beginning.delete(id)
    }
  }

  /** Whether its unit cannot be there yet. */
  #isAhead(id: RequestId): boolean {
    return this.#waiting.has(id) || this.#beginning.has(id)
  }

  /** Units of builds that run. */
  async #up(): Promise<ReadonlySet<string>> {
    const loaded = await this.#host.units.list(['build-*.service'])
    // what was begun a moment ago may not be loaded yet
    return new Set([...loaded.map(({ name }) => name), ...[...this.#running.keys()].map(buildUnit)])
  }

  /** The folders of the oldest that have ended, which make room for one more. */
  async #forgotten(): Promise<readonly string[]> {
    const ended = (await keptBuilds(this.#host)).filter(({ record }) => record.result !== 'running')
    return ended.slice(0, Math.max(0, ended.length + 1 - limits.buildsKept)).map(({ id }) => buildFolder(this.#host.paths, id))
  }

  #watch(id: RequestId, end: Promise<TransientEnd | undefined>): Promise<void> {
    const watching = end
      .then(
        result => this.#settle(id, result === undefined ? 'its host or its unit ended' : `its unit ended with ${result.result}`),
        (error: unknown) => this.#settle(id, explain(asGearError(error))),
      )
      .finally(() => this.#running.delete(id))
    watching.catch(() => undefined)
    this.#running.set(id, watching)
    return watching
  }

  /** A build that ended in order has said how. Of one that could not, containers and folders are cleared up here. */
  async #settle(id: RequestId, cause: string): Promise<void> {
    const { files, paths, clock, units } = this.#host
    const folder = buildFolder(paths, id)
    // a lost bus says nothing of the build
    if ((await units.list([buildUnit(id)])).length > 0) return
    const waiting = await readRecord(this.#host, folder)
    if (waiting?.isWaiting === true && !this.#stopped.has(id)) {
      const request = await readRequest(this.#host, folder)
      // of an agent that ended before its turn came
      if (request !== undefined) return this.#wait(request)
    }
    await sweepBuilds(this.#host, workRoot(paths)).catch(() => undefined)
    const record = await readRecord(this.#host, folder)
    if (record?.result !== 'running') return
    await files.remove(`${folder}/request.json`)
    const isAsked = this.#stopped.delete(id)
    const { isWaiting: _isWaiting, ...known } = record
    await writeRecord(this.#host, folder, {
      ...known,
      result: isAsked ? 'stopped' : 'failed',
      finishedAt: new Date(clock.nowMs()).toISOString(),
      code: 'BUILD_STOPPED',
      cause: isAsked ? 'it was stopped' : `it was ended before it could finish: ${cause}`,
    })
    await files.syncFolders([folder])
  }

  /** Resolves when the build has ended, whoever began it; fails when that cannot be found out. */
  #ended(id: RequestId): Promise<void> {
    return this.#running.get(id) ?? this.#watch(id, this.#host.units.joinTransient(buildUnit(id), new AbortController().signal))
  }

  /**
   * The output from its beginning; with `isFollowing`, until the build has ended. `isVerdictWanted`: throws what it failed with, when all has been
   * passed on. Throws BUILD_UNKNOWN.
   */
  async follow(id: RequestId, options: FollowOptions): Promise<AsyncIterable<string>> {
    await this.#require(id)
    return this.#follow(id, options)
  }

  /**
   * The output of a build that goes on, or has ended in order, as `follow` gives it with the verdict. Undefined for one that is not known, and for
   * one that was ended before its time: by its host, or by somebody.
   */
  async takeUp(id: RequestId, signal: AbortSignal): Promise<AsyncIterable<string> | undefined> {
    if ((await readRecord(this.#host, buildFolder(this.#host.paths, id))) === undefined) return undefined
    const { record } = await this.#look(id)
    if (record.code === 'BUILD_STOPPED') return undefined
    return this.#follow(id, { isFollowing: true, isVerdictWanted: true, signal })
  }

  async *#follow(id: RequestId, { isFollowing, isVerdictWanted, signal }: FollowOptions): AsyncGenerator<string> {
    const folder = buildFolder(this.#host.paths, id)
    const reader = new LogReader(this.#host, folder)
    let record = await this.#require(id)
    let isTold = false
    while (isFollowing && record.result === 'running') {
      if (!isTold && this.#waiting.has(id)) {
        isTold = true
        yield await this.#queueText(id)
      }
      const text = await reader.next()
      if (text !== '') yield text
      const over = new AbortController()
      const pause = this.#host.clock.sleep(lookMs, AbortSignal.any([signal, over.signal])).catch(() => undefined)
      await Promise.race([...(this.#isAhead(id) ? [] : [this.#ended(id)]), pause])
      over.abort()
      signal.throwIfAborted()
      record = await this.#require(id)
    }
    for (let text = await reader.next(); text !== ''; text = await reader.next()) yield text
    if (!isVerdictWanted || record.result === 'built' || record.result === 'running') return
    throw new GearError(codeOf(record), `Could not build ${record.tag}: ${record.cause ?? record.result}`)
  }

  async #queueText(id: RequestId): Promise<string> {
    const before = (await this.#up()).size + Math.max(0, [...this.#waiting.keys()].indexOf(id))
    return `Waiting for ${before === 1 ? 'a build' : `${before} builds`} before this one\n`
  }

  async report(id: RequestId): Promise<BuildReport> {
    await this.#require(id)
    const { isUp, record } = await this.#look(id)
    return reportOf(id, record, isUp)
  }

  /** The oldest first. */
  async list(): Promise<readonly BuildReport[]> {
    const records = await keptBuilds(this.#host)
    return Promise.all(
      records.map(async ({ id, record }) => {
        if (record.result !== 'running') return reportOf(id, record, undefined)
        const looked = await this.#look(id)
        return reportOf(id, looked.record, looked.isUp)
      }),
    )
  }

  /** One that runs is asked to end, and has ended when this returns. */
  async stop(id: RequestId, dryRun?: DryRun): Promise<void> {
    const steps = planStop(await this.#require(id), buildUnit(id))
    await applySteps<StopStep>(
      steps,
      { stopUnit: ({ unit }) => this.#stopUnit(id, unit) },
      (step, when) => this.#observe(id, step, when),
      dryRun,
    )
  }

  async #stopUnit(id: RequestId, unit: UnitName): Promise<void> {
    const wasWaiting = await this.#locks.run('begin', async () => this.#waiting.delete(id))
    this.#stopped.add(id)
    if (wasWaiting) return this.#settle(id, 'it was stopped')
    const ended = this.#ended(id)
    await this.#host.units.stop(unit, { mode: 'replace', signal: new AbortController().signal })
    await ended
    this.#stopped.delete(id)
  }

  async #look(id: RequestId): Promise<{ readonly record: BuildRecord; readonly isUp: ListedUnit | undefined }> {
    const [unit] = await this.#host.units.list([buildUnit(id)])
    if (unit === undefined && !this.#running.has(id) && !this.#isAhead(id)) await this.#ended(id)
    return { record: await this.#require(id), isUp: unit }
  }

  async #require(id: RequestId): Promise<BuildRecord> {
    const record = await readRecord(this.#host, buildFolder(this.#host.paths, id))
    if (record === undefined) throw new GearError('BUILD_UNKNOWN', `There is no build ${id} on this host`)
    return record
  }
}

export interface BeginOptions {
  readonly dryRun?: DryRun | undefined
  /** The source is not there yet; whoever asks puts it there before the build. */
  readonly isFetched?: boolean
}

export interface FollowOptions {
  readonly isFollowing: boolean
  readonly isVerdictWanted: boolean
  readonly signal: AbortSignal
}

function codeOf({ code }: BuildRecord): ErrorCode {
  return code !== undefined && code in errorCatalogue ? (code as ErrorCode) : 'BUILD_FAILED'
}

function reportOf(id: RequestId, record: BuildRecord, unit: ListedUnit | undefined): BuildReport {
  const { digest: _digest, version: _version, isWaiting, lines, ...known } = record
  const hasFailed = record.result === 'failed' || record.result === 'stopped'
  return {
    id: unitIdOf(id),
    requestId: id,
    activeState: unit?.activeState ?? (hasFailed ? 'failed' : record.result === 'running' ? 'activating' : 'inactive'),
    subState: unit?.subState ?? (hasFailed ? 'failed' : record.result === 'running' ? 'start' : 'dead'),
    ...known,
    result: isWaiting === true ? 'waiting' : record.result,
    ...(lines === undefined ? {} : { lines: [...lines] }),
  }
}
