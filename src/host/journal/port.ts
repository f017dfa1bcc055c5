/** The port to the journal: lines of one unit, past and present, and systemd's own status text. */
import type { UnitName } from '../../api/index.ts'

export interface JournalQuery {
  readonly unit: UnitName
  /** Lines from this moment on, as systemd.time(7) takes it: `-30`, `2026-01-02 10:00:00`, `now`. */
  readonly since?: string
  /** At most this many past lines. */
  readonly lines?: number
  /** Go on with new lines until the signal aborts. */
  readonly isFollowing: boolean
}

/** Errors: COMMAND_FAILED with what the tool said. */
export interface Journal {
  /**
   * Lines in journalctl's short form, without their line end. Ends when the past lines are through, or on abort when following.
   * The child process never outlives the iteration. A slow reader slows the child down; nothing is kept in memory but one chunk. Lines
   * longer than `limits.logLineBytes` are cut there. With `since: 'now'` what is written once the first line is asked for is not missed.
   */
  lines(query: JournalQuery, signal: AbortSignal): AsyncIterable<string>
  /** The text `systemctl status UNIT` prints, whether the unit is active, not active or unknown. */
  statusText(unit: UnitName): Promise<string>
}
