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

/** How a queued job ended, systemd's words: `done`, `canceled`, `timeout`, `failed`, `dependency`, `skipped`. */
export type JobResult = 'done' | 'canceled' | 'timeout' | 'failed' | 'dependency' | 'skipped'

export type JobMode = 'replace' | 'fail'

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
