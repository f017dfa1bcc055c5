/**
 * systemd in memory. It loads units from the fake files the way the manager does: at first use, from the search path, through links; it
 * forgets inactive ones unless something wants them, and goes on with what it has loaded until it is told to reload.
 */
import type { UnitName } from '../../api/index.ts'
import type { Clock } from '../clock/port.ts'
import { Faults } from '../faults.ts'
import type { FakeFiles } from '../files/fake.ts'
import { Rounds } from '../rounds.ts'
import { systemdFailed, systemdUnavailable, unitErrors } from './errors.ts'
import {
  type ActiveState,
  type JobMode,
  type JobResult,
  type ListedUnit,
  neverRan,
  type TransientEnd,
  type TransientUnit,
  type UnitStatus,
  type Units,
} from './port.ts'

/** What starting and stopping a unit leads to; `pending` jobs stay until `finishJob`. */
export interface Behaviour {
  readonly start: 'active' | 'failed' | 'pending' | { readonly signal: number }
  readonly stop: 'inactive' | 'failed' | 'pending'
  /** What the command of a transient unit does; `running` lasts until `exit` or a stop. */
  readonly transient: 'running' | 'not-executed' | { readonly exitCode: number } | { readonly signal: number }
}

interface Fragment {
  readonly path: string
  readonly text: string
  readonly modifiedMs: number
}

interface Job {
  readonly type: 'start' | 'stop' | 'restart'
  readonly end: PromiseWithResolvers<JobResult>
}

interface FakeUnit {
  readonly name: UnitName
  fragment: Fragment | undefined
  isMasked: boolean
  /** Something that is loaded wants it, so that it is not forgotten. */
  isWanted: boolean
  job: Job | undefined
  state: UnitState
}

type UnitState = Omit<UnitStatus, 'name' | 'loadState' | 'hasJob' | 'needsReload'>

interface Transient {
  readonly asked: TransientUnit
  readonly end: PromiseWithResolvers<TransientEnd>
}

interface FakeUnitsOptions {
  readonly files: FakeFiles
  readonly clock: Clock
  /** `/etc/systemd/system` */
  readonly folder: string
  /** Templates that packages have installed, such as `gear-links@.service`. */
  readonly templates?: readonly string[]
  /** Told when a unit has begun or ceased to run. */
  readonly onRunning?: (unit: { readonly name: UnitName; readonly isRunning: boolean; readonly text: string }) => void
}

const fresh: UnitState = {
  activeState: 'inactive',
  subState: 'dead',
  ...neverRan,
}

export class FakeUnits extends Faults<keyof Units> implements Units {
  /** The bus can not be reached. */
  isAway = false
  readonly #options: FakeUnitsOptions
  readonly #units = new Map<string, FakeUnit>()
  readonly #behaviours = new Map<string, Partial<Behaviour>>()
  /** Transient units that run or that somebody waits for. They have no file. */
  readonly #transients = new Map<UnitName, Transient>()
  readonly #watchers = new Set<(name: UnitName) => void>()
  readonly #reloads = new Rounds(() => this.#reload())
  #reloadCount = 0
  #pid = 100

  constructor(options: FakeUnitsOptions) {
    super()
    this.#options = options
  }

  /** How often all unit files were read again. */
  get reloadCount(): number {
    return this.#reloadCount
  }

  /** What starting and stopping the unit leads to from now on; without it, starts make it active and stops inactive. */
  behave(name: UnitName, behaviour: Partial<Behaviour>): void {
    this.#behaviours.set(name, { ...this.#behaviours.get(name), ...behaviour })
  }

  /** Ends a pending job. */
  finishJob(name: UnitName, result: 'done' | 'failed' | 'timeout' = 'done'): void {
    const unit = this.#units.get(name)
    const job = unit?.job
    if (unit === undefined || job === undefined) return
    if (job.type === 'stop') this.#enter(unit, result === 'done' ? 'inactive' : 'failed', result === 'timeout' ? { result: 'timeout' } : {})
    else this.#enter(unit, result === 'done' ? 'active' : 'failed', result === 'timeout' ? { result: 'timeout' } : {})
    this.#endJob(unit, result)
  }

  /** The main process of the unit ends by itself. */
  exit(name: UnitName, how: { readonly exitCode: number } | { readonly signal: number }): void {
    const unit = this.#load(name)
    const mainSignalled = 'signal' in how
    const mainStatus = 'signal' in how ? how.signal : how.exitCode
    const isClean = !mainSignalled && mainStatus === 0
    const result = isClean ? 'success' : mainSignalled ? 'signal' : 'exit-code'
    this.#enter(unit, isClean ? 'inactive' : 'failed', { mainStatus, mainSignalled, result })
  }

  /** What the transient units that run were made from. */
  get transients(): readonly TransientUnit[] {
    return [...this.#transients.values()].map(({ asked }) => asked)
  }

  /** Sets anything about a unit directly. */
  set(name: UnitName, state: Partial<UnitState>): void {
    const unit = this.#load(name)
    unit.state = { ...unit.state, ...state }
    this.#notify(name)
  }

  /** The machine has started again: nothing runs, all unit files have been read. What wants to be started at boot is not started. */
  async reboot(): Promise<void> {
    for (const unit of this.#units.values()) if (unit.state.mainPid > 0) this.#enter(unit, 'inactive')
    this.#units.clear()
    await this.#reload()
  }

  /** What `systemctl status` prints about the unit before its log lines. */
  statusText(name: UnitName): string {
    const unit = this.#load(name)
    const { state } = unit
    if (unit.fragment === undefined) return `Unit ${name} could not be found.`
    const isEnabled = this.#wantedNames().has(name)
    const since = `since ${new Date(state.stateSinceMs).toUTCString()}`
    const active =
      state.activeState === 'failed'
        ? `failed (Result: ${state.result}) ${since}`
        : `${state.activeState} (${state.subState})${state.stateSinceMs > 0 ? ` ${since}` : ''}`
    return [
      `* ${name} - ${/^Description=(.*)$/m.exec(unit.fragment.text)?.[1] ?? name}`,
      `     Loaded: loaded (${this.#options.folder}/${name}; ${isEnabled ? 'enabled' : 'linked'}; preset: enabled)`,
      `     Active: ${active}`,
      ...(state.mainPid > 0 ? [`   Main PID: ${state.mainPid} (curl)`] : []),
    ].join('\n')
  }

  async list(patterns: readonly string[]): Promise<readonly ListedUnit[]> {
    await this.#reach('list', patterns.join(' '), 'list units')
    const globs = patterns.map(globPattern)
    for (const name of this.#wantedNames()) this.#load(name as UnitName)
    return [...this.#units.values()]
      .filter(unit => !this.#isForgotten(unit) && (globs.length === 0 || globs.some(glob => glob.test(unit.name))))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(unit => ({
        name: unit.name,
        loadState: loadState(unit),
        activeState: unit.state.activeState,
        subState: unit.state.subState,
        ...(unit.job === undefined ? {} : { jobType: unit.job.type }),
      }))
  }

  async status(name: UnitName): Promise<UnitStatus> {
    await this.#reach('status', name, `read the state of ${name}`)
    const unit = this.#load(name)
    return { name, loadState: loadState(unit), hasJob: unit.job !== undefined, needsReload: this.#hasChanged(unit), ...unit.state }
  }

  async queueStart(name: UnitName, mode: JobMode): Promise<void> {
    await this.#reach('queueStart', name, `start ${name}`)
    this.#start(this.#startable(name, `start ${name}`), { type: 'start', mode })
  }

  async queueRestart(name: UnitName, mode: JobMode): Promise<void> {
    await this.#reach('queueRestart', name, `restart ${name}`)
    const unit = this.#startable(name, `restart ${name}`)
    if (unit.state.activeState === 'active') this.#enter(unit, 'inactive')
    this.#start(unit, { type: 'restart', mode })
  }

  async queueStop(name: UnitName, mode: JobMode): Promise<void> {
    await this.#reach('queueStop', name, `stop ${name}`)
    void this.#stop(name, mode, `stop ${name}`)
  }

  async stop(name: UnitName, { mode, signal }: { readonly mode: JobMode; readonly signal: AbortSignal }): Promise<JobResult> {
    signal.throwIfAborted()
    await this.#reach('stop', name, `stop ${name}`)
    if (!this.#units.has(name)) return 'done'
    return Promise.race([this.#stop(name, mode, `stop ${name}`), aborted(signal)])
  }

  async runTransient(unit: TransientUnit, signal: AbortSignal): Promise<TransientEnd> {
    signal.throwIfAborted()
    const { name } = unit
    const attempted = `run ${name}`
    await this.#reach('runTransient', name, attempted)
    if (!this.#isForgotten(this.#load(name))) {
      throw systemdFailed(attempted, { name: unitErrors.exists, message: `Unit ${name} was already loaded or has a fragment file.` })
    }
    const does = this.#behaviours.get(name)?.transient ?? 'running'
    if (does === 'not-executed') {
      throw systemdFailed(attempted, { name: unitErrors.notExecuted, message: `${unit.command[0]} could not be executed` })
    }
    const fragment = { path: `/run/systemd/transient/${name}`, text: '', modifiedMs: this.#options.clock.nowMs() }
    const fake: FakeUnit = { name, fragment, isMasked: false, isWanted: false, job: undefined, state: fresh }
    this.#units.set(name, fake)
    const end = Promise.withResolvers<TransientEnd>()
    this.#transients.set(name, { asked: unit, end })
    this.#enter(fake, 'active')
    if (does !== 'running') this.exit(name, does)
    return Promise.race([end.promise, aborted(signal)])
  }

  async joinTransient(name: UnitName, signal: AbortSignal): Promise<TransientEnd | undefined> {
    signal.throwIfAborted()
    await this.#reach('joinTransient', name, `wait for ${name}`)
    const transient = this.#transients.get(name)
    return transient === undefined ? undefined : Promise.race([transient.end.promise, aborted(signal)])
  }

  async resetFailed(name: UnitName): Promise<void> {
    await this.#reach('resetFailed', name, `reset ${name}`)
    const unit = this.#units.get(name)
    if (unit === undefined) return
    unit.state = { ...unit.state, result: 'success', restarts: 0 }
    if (unit.state.activeState === 'failed') this.#enter(unit, 'inactive')
  }

  async reload(): Promise<void> {
    await this.#reloads.join()
  }

  async *changes(signal: AbortSignal): AsyncGenerator<UnitName, void> {
    await this.#reach('changes', '', 'watch units')
    const waiting = new Set<UnitName>()
    let arrival = Promise.withResolvers<void>()
    const watcher = (name: UnitName): void => {
      waiting.add(name)
      arrival.resolve()
    }
    const onAbort = (): void => arrival.resolve()
    this.#watchers.add(watcher)
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        const [name] = waiting
        if (name !== undefined) {
          waiting.delete(name)
          yield name
        } else {
          arrival = Promise.withResolvers()
          await arrival.promise
        }
      }
    } finally {
      this.#watchers.delete(watcher)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async ping(): Promise<void> {
    await this.#reach('ping', '', 'reach systemd')
  }

  async close(): Promise<void> {}

  async #reach(operation: keyof Units, subject: string, attempted: string): Promise<void> {
    await this.meet(operation, subject)
    if (this.isAway) throw systemdUnavailable(attempted, new Error('connect ENOENT /run/dbus/system_bus_socket'))
  }

  async #reload(): Promise<void> {
    await this.#reach('reload', '', 'reload unit files')
    this.#reloadCount++
    const wanted = this.#wantedNames()
    for (const unit of this.#units.values()) {
      this.#read(unit)
      unit.isWanted = wanted.has(unit.name)
      if (this.#isForgotten(unit)) this.#units.delete(unit.name)
    }
    for (const name of wanted) this.#load(name as UnitName).isWanted = true
  }

  /** Names of units that `*.wants` and `*.requires` folders have links to. */
  #wantedNames(): ReadonlySet<string> {
    const { files, folder } = this.#options
    const names = Object.keys(files.tree(folder)).flatMap(path => /\.(?:wants|requires)\/([^/]+)$/.exec(path)?.[1] ?? [])
    return new Set(names)
  }

  #load(name: UnitName): FakeUnit {
    const known = this.#units.get(name)
    if (known !== undefined && !this.#isForgotten(known)) return known
    const unit: FakeUnit = { name, fragment: undefined, isMasked: false, isWanted: false, job: undefined, state: fresh }
    this.#read(unit)
    if (unit.fragment !== undefined) this.#units.set(name, unit)
    return unit
  }

  #read(unit: FakeUnit): void {
    const { files, folder } = this.#options
    unit.isMasked = files.follow(`${folder}/${unit.name}`)?.path === '/dev/null'
    unit.fragment = files.follow(`${folder}/${unit.name}`) ?? this.#installedTemplate(unit.name)
  }

  #installedTemplate(name: UnitName): Fragment | undefined {
    const template = name.replace(/@.*(?=\.)/, '@')
    const isInstalled = template !== name && this.#options.templates?.includes(template) === true
    return isInstalled ? { path: `/usr/lib/systemd/system/${template}`, text: '', modifiedMs: 0 } : undefined
  }

  /** systemd drops a unit that is inactive, has no job and is not wanted by another. */
  #isForgotten(unit: FakeUnit): boolean {
    return unit.state.activeState === 'inactive' && unit.job === undefined && !(unit.isWanted && unit.fragment !== undefined)
  }

  #hasChanged(unit: FakeUnit): boolean {
    if (unit.fragment === undefined) return false
    const now = this.#options.files.follow(`${this.#options.folder}/${unit.name}`) ?? this.#installedTemplate(unit.name)
    return now?.path !== unit.fragment.path || now.modifiedMs > unit.fragment.modifiedMs
  }

  #startable(name: UnitName, attempted: string): FakeUnit {
    const unit = this.#load(name)
    if (unit.isMasked) throw systemdFailed(attempted, { name: unitErrors.masked, message: `Unit ${name} is masked.` })
    if (unit.fragment === undefined) throw systemdFailed(attempted, { name: unitErrors.noSuchUnit, message: `Unit ${name} not found.` })
    return unit
  }

  #start(unit: FakeUnit, { type, mode }: { readonly type: Job['type']; readonly mode: JobMode }): void {
    if (unit.job?.type === 'stop') this.#replaceJob(unit, mode, `${type} ${unit.name}`)
    if (unit.state.activeState === 'active' || unit.job !== undefined) return
    unit.job = { type, end: Promise.withResolvers() }
    this.#enter(unit, 'activating')
    const outcome = this.#behaviours.get(unit.name)?.start ?? 'active'
    if (typeof outcome === 'object') {
      this.finishJob(unit.name)
      this.exit(unit.name, outcome)
    } else if (outcome !== 'pending') this.finishJob(unit.name, outcome === 'active' ? 'done' : 'failed')
  }

  #stop(name: UnitName, mode: JobMode, attempted: string): Promise<JobResult> {
    const unit = this.#units.get(name)
    if (unit === undefined) throw systemdFailed(attempted, { name: unitErrors.noSuchUnit, message: `Unit ${name} not loaded.` })
    if (unit.job?.type === 'stop') return unit.job.end.promise
    if (unit.job !== undefined) this.#replaceJob(unit, mode, attempted)
    if (unit.state.activeState === 'inactive' || unit.state.activeState === 'failed') return Promise.resolve('done')
    const job: Job = { type: 'stop', end: Promise.withResolvers() }
    unit.job = job
    this.#enter(unit, 'deactivating')
    const outcome = this.#behaviours.get(name)?.stop ?? 'inactive'
    if (outcome === 'failed') this.#enter(unit, 'failed', { result: 'exit-code' })
    if (outcome === 'inactive') this.#enter(unit, 'inactive')
    if (outcome !== 'pending') this.#endJob(unit, 'done')
    return job.end.promise
  }

  #replaceJob(unit: FakeUnit, mode: JobMode, attempted: string): void {
    if (mode === 'fail') {
      const message = `Transaction for ${unit.name} is destructive (${unit.name} has '${unit.job?.type}' job queued, but another is included in transaction).`
      throw systemdFailed(attempted, { name: unitErrors.destructive, message })
    }
    this.#endJob(unit, 'canceled')
  }

  #endJob(unit: FakeUnit, result: JobResult): void {
    const { job } = unit
    unit.job = undefined
    job?.end.resolve(result)
    this.#notify(unit.name)
  }

  #enter(unit: FakeUnit, activeState: ActiveState, more: Partial<UnitState> = {}): void {
    const nowMs = this.#options.clock.nowMs()
    const wasRunning = unit.state.mainPid > 0
    const changes: Readonly<Record<string, Partial<UnitState>>> = {
      activating: { subState: 'start-pre', result: 'success', mainPid: 0 },
      active: { subState: 'running', mainPid: ++this.#pid, mainStatus: 0, mainSignalled: false, activeSinceMs: nowMs },
      deactivating: { subState: 'stop-sigterm' },
      inactive: { subState: 'dead', mainPid: 0, inactiveSinceMs: nowMs },
      failed: { subState: 'failed', mainPid: 0, inactiveSinceMs: nowMs, result: 'exit-code', mainStatus: 1 },
    }
    unit.state = { ...unit.state, activeState, stateSinceMs: nowMs, ...changes[activeState], ...more }
    const isRunning = unit.state.mainPid > 0
    if (activeState === 'inactive' || activeState === 'failed') this.#endTransient(unit)
    if (isRunning !== wasRunning) this.#options.onRunning?.({ name: unit.name, isRunning, text: unit.fragment?.text ?? '' })
    this.#notify(unit.name)
  }

  /** The unit is forgotten, however it ended. */
  #endTransient({ name, state }: FakeUnit): void {
    const transient = this.#transients.get(name)
    if (transient === undefined) return
    this.#transients.delete(name)
    this.#units.delete(name)
    const { result, mainStatus, mainSignalled } = state
    transient.end.resolve({
      result,
      exitCode: mainSignalled ? undefined : mainStatus,
      signal: mainSignalled ? mainStatus : undefined,
    })
  }

  #notify(name: UnitName): void {
    for (const watcher of this.#watchers) watcher(name)
  }
}

/** Never resolves; rejects with the signal's reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

function loadState(unit: FakeUnit): string {
  if (unit.isMasked) return 'masked'
  return unit.fragment === undefined ? 'not-found' : 'loaded'
}

/** A glob of fnmatch(3), as far as `*` and `?`. */
function globPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
