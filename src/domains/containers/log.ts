/** The log of a container (spec §4.7): a window of time as the original gave it, or the lines that were asked for. */
import { type ContainerId, containerUnit, limits } from '../../api/index.ts'
import type { Host, JournalQuery } from '../../host/index.ts'
import { deadlineIn } from './deadline.ts'

export interface LogRequest {
  readonly id: ContainerId
  readonly isFollowing: boolean | undefined
  readonly since: string | undefined
  readonly lines: number | undefined
  readonly signal: AbortSignal
}

/** Lines with their line ends. */
export async function* containerLog({ journal, clock }: Pick<Host, 'journal' | 'clock'>, request: LogRequest): AsyncGenerator<string> {
  const { id, isFollowing, since, lines } = request
  const unit = containerUnit(id)
  const isWindow = isFollowing === undefined && since === undefined && lines === undefined
  const query: JournalQuery = isWindow
    ? { unit, since: '-30', isFollowing: true }
    : { unit, isFollowing: isFollowing ?? false, ...(since === undefined ? {} : { since }), ...(lines === undefined ? {} : { lines }) }
  using window = deadlineIn(clock, limits.logWindowMs)
  const signal = isWindow ? AbortSignal.any([request.signal, window.signal]) : request.signal
  for await (const line of journal.lines(query, signal)) yield `${line}\n`
}
