/**
 * The port to systemd: what gear asks of the manager, in gear's words. Unit files themselves are files (see `host/files`); this port
 * makes systemd know them, starts and stops them and tells how they are.
 */
import type { UnitName } from '../../api/index.ts'

export type ActiveState = 'active' | 'reloading' | 'inactive' | 'failed' | 'activating' | 'deactivating' | 'maintenance'

/** One line of the list of loaded units. */
export interface ListedUnit {
  readonly name: UnitName
  readonly loadState: string
  readonly activeState: ActiveState
  readonly subState: string
  /** Kind of the queued job (`start`, `stop`, …), when there is one. */
  readonly jobType?: string
}

/** What systemd knows of one unit. Times are milliseconds since the epoch; 0 for never. */
export interface UnitStatus {
  readonly name: UnitName
  readonly loadState: string
  readonly activeState: ActiveState
  readonly subState: string
  /** A job for the unit is queued or runs. */
  readonly hasJob: boolean
  readonly needsReload: boolean
  /** systemd's word for how the last run ended: `success`, `exit-code`, `signal`, `oom-kill`, `start-limit-hit`, `timeout`, … */
  readonly result: string
  readonly mainPid: number
  /** Exit code of the main process, or the signal number when `mainSignalled`. */
  readonly mainStatus: number
  readonly mainSignalled: boolean
  readonly restarts: number
  readonly activeSinceMs: number
  readonly inactiveSinceMs: number
  /** When the present state was entered. */
  readonly stateSinceMs: number
}

/** What all is of a unit whose state has never changed. */
export const neverRan = {
  result: 'success',
  mainPid: 0,
  mainStatus: 0,
  mainSignalled: false,
  restarts: 0,
  activeSinceMs: 0,
  inactiveSinceMs: 0,
  stateSinceMs: 0,
} as const satisfies Partial<UnitStatus>

/** How a queued job ended, systemd's words: `done`, `canceled`, `timeout`, `failed`, `dependency`, `skipped`. */
export type JobResult = 'done' | 'canceled' | 'timeout' | 'failed' | 'dependency' | 'skipped'

export type JobMode = 'replace' | 'fail'

/** A service without a file: a command that systemd runs once. All that is not said here is systemd's default. */
export interface TransientUnit {
  readonly name: UnitName
  readonly description: string
  /** The program by its absolute path, and its arguments. Neither a shell nor systemd's own substitutions see them. */
  readonly command: readonly [program: string, ...args: readonly string[]]
  /** Such as `container-small.slice`. */
  readonly slice: UnitName
  /** The account that the command runs as; root without it. */
  readonly user?: string
  /** Everything it sees beside systemd's own variables. Nothing secret: any user may read the variables of a unit. */
  readonly variables?: Readonly<Record<string, string>>
  /** Most memory and most tasks of all its processes together. */
  readonly memoryBytes?: number
  readonly tasksMax?: number
  /** Longest run; then it is stopped and its result is `timeout`. */
  readonly runMs?: number
  /** How long the command has to end after SIGTERM, which it alone is sent, before all is killed; systemd's default is 90 s. */
  readonly stopMs?: number
}

/** How the command of a transient unit ended. */
export interface TransientEnd {
  /** systemd's word, as in `UnitStatus`; `unknown` when the unit was gone before it could be asked. */
  readonly result: string
  /** Undefined when a signal ended it, or nothing is known. */
  readonly exitCode: number | undefined
  /** Number of the signal that ended it. */
  readonly signal: number | undefined
}

/**
 * Errors: every call may throw `GearError` SYSTEMD_UNAVAILABLE (no bus, or it went away; the next call connects anew) and
 * SYSTEMD_FAILED (systemd refused; the message says what was asked and what systemd said).
 */
export interface Units {
  /** All units systemd has loaded whose name matches one of the globs; without globs, all. */
  list(patterns: readonly string[]): Promise<readonly ListedUnit[]>
  /** The unit's state; a unit nobody knows has `loadState` `not-found`. */
  status(name: UnitName): Promise<UnitStatus>
  /** Queues a start and returns when it is queued. A unit without a file is SYSTEMD_FAILED with `data.name` `…NoSuchUnit`. */
  queueStart(name: UnitName, mode: JobMode): Promise<void>
  queueStop(name: UnitName, mode: JobMode): Promise<void>
  queueRestart(name: UnitName, mode: JobMode): Promise<void>
  /** Queues a stop and waits until systemd has finished it. A unit that is not loaded is `done`. */
  stop(name: UnitName, options: { readonly mode: JobMode; readonly signal: AbortSignal }): Promise<JobResult>
  /**
   * Runs a command as a unit of its own and waits for its end, whatever that is. The unit does not depend on who started it: an abort ends the wait
   * only, with the reason of the signal, and `stop` ends the command. systemd forgets the unit once it has ended and nobody waits for it, also
   * after a failure and also when this process is gone by then. A program that cannot be executed and a name that is loaded already are
   * SYSTEMD_FAILED (`unitErrors.notExecuted`, `unitErrors.exists`).
   */
  runTransient(unit: TransientUnit, signal: AbortSignal): Promise<TransientEnd>
  /** Waits for the end of a transient unit that runs already, as `runTransient` does; undefined when there is none of that name. */
  joinTransient(name: UnitName, signal: AbortSignal): Promise<TransientEnd | undefined>
  /** Forgets failures and the start limit of a unit. Unknown units are no error. */
  resetFailed(name: UnitName): Promise<void>
  /** Reads all unit files again. Calls that come while one waits share it. */
  reload(): Promise<void>
  /**
   * Units whose state changed or that finished a job, as it happens, until the signal aborts. `status` is to be asked for the details; that is
   * no change itself. A slow reader gets each name once. Fails with SYSTEMD_UNAVAILABLE when the bus goes away: what happened until the next
   * watch begins is unknown then.
   */
  changes(signal: AbortSignal): AsyncGenerator<UnitName, void>
  /** Calls systemd once; throws SYSTEMD_UNAVAILABLE when it cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}
