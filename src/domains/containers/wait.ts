/**
 * Waiting until a container has started or stopped, or has failed to, with everything the journal says meanwhile: the progress of a pull
 * among it. systemd's signals wake the wait; a slow tick makes up for one that was lost. An abort ends it without a verdict.
 */
import { type ContainerId, containerUnit, limits, type WaitEvent } from '../../api/index.ts'
import type { Host, UnitStatus } from '../../host/index.ts'
import { Channel } from '../../lib/index.ts'
import type { Cause } from './cause.ts'
import { isAtRest } from './look.ts'

const tickMs = 1000
/** The journal may be a little behind systemd; lines of the end that was just reached are still let through. */
const lastLinesMs = 150
const earlierLinesMs = 1000
/** What systemd says of a start comes with the state, and is in the journal a little later. */
const startLinesMs = 100

export interface WaitRequest {
  readonly id: ContainerId
  readonly target: 'started' | 'stopped'
  readonly signal: AbortSignal
  /** Tells why a unit in this state is not running. */
  readonly explain: (status: UnitStatus) => Promise<Cause | undefined>
}

export async function* waitForContainer(host: Pick<Host, 'units' | 'journal' | 'clock'>, request: WaitRequest): AsyncGenerator<WaitEvent> {
  const unit = containerUnit(request.id)
  const ended = new AbortController()
  const signal = AbortSignal.any([request.signal, ended.signal])
  const events = new Channel<WaitEvent | 'look'>()
  const onAbort = () => events.end()
  request.signal.addEventListener('abort', onAbort, { once: true })
  if (request.signal.aborted) onAbort()
  const feeds = [
    feed(
      events,
      mapAsync(host.units.changes(signal), name => (name === unit ? 'look' : undefined)),
    ),
    feed(events, ticks(host, signal)),
    feed(
      events,
      mapAsync(lines(host, request, signal), message => ({ event: 'log' as const, message })),
    ),
  ]
  const deadlineMs = host.clock.elapsedMs() + limits.startWaitMs
  let lastState = ''
  let activeSinceMs: number | undefined
  try {
    events.push('look')
    for await (const event of events) {
      if (event !== 'look') {
        yield event
        continue
      }
      const status = await host.units.status(unit)
      const state = `${status.activeState} (${status.subState})`
      if (state !== lastState) yield { event: 'state', message: state }
      lastState = state
      if (status.activeState !== 'active') activeSinceMs = undefined
      else activeSinceMs ??= host.clock.elapsedMs()
      const verdict = judge(request.target, status, activeSinceMs === undefined ? 0 : host.clock.elapsedMs() - activeSinceMs)
      if (verdict === 'settling') void host.clock.sleep(limits.settleMs, signal).then(() => events.push('look'), ignoreAbort)
      if (verdict === 'reached' || verdict === 'failed') {
        await host.clock.sleep(lastLinesMs)
        for (const waiting of events.drain()) if (waiting !== 'look') yield waiting
        yield verdict === 'reached' ? { event: 'reached', message: state } : await failure(request, status)
        return
      }
      if (host.clock.elapsedMs() > deadlineMs) {
        yield { event: 'failed', code: 'WAIT_TIMEOUT', message: `The unit is still ${state}`, next: `Look at: gear status ${request.id}` }
        return
      }
    }
  } finally {
    request.signal.removeEventListener('abort', onAbort)
    ended.abort()
    await Promise.allSettled(feeds)
  }
}

/** What was asked for a moment ago may have written its first lines already. Those of a start that was just before are not those of a stop. */
async function* lines(
  { units, journal, clock }: Pick<Host, 'units' | 'journal' | 'clock'>,
  { id, target }: WaitRequest,
  signal: AbortSignal,
) {
  const unit = containerUnit(id)
  const recentMs = clock.nowMs() - earlierLinesMs
  const startedMs = target === 'stopped' ? (await units.status(unit)).activeSinceMs + startLinesMs : 0
  yield* journal.lines({ unit, since: `@${Math.max(recentMs, startedMs) / 1000}`, isFollowing: true }, signal)
}

type Verdict = 'going on' | 'settling' | 'reached' | 'failed'

/** What a state means for a wait. A start counts when the container has run for a moment: many failures come in the first instant. */
export function judge(target: 'started' | 'stopped', status: UnitStatus, activeMs: number): Verdict {
  if (target === 'stopped') return isAtRest(status) ? 'reached' : 'going on'
  if (status.activeState === 'active' && !status.hasJob) return activeMs >= limits.settleMs ? 'reached' : 'settling'
  // With a job it has been told to start once more meanwhile, and is about to.
  if (status.subState === 'auto-restart' && !status.hasJob) return 'failed'
  return isAtRest(status) ? 'failed' : 'going on'
}

async function failure(request: WaitRequest, status: UnitStatus): Promise<WaitEvent> {
  const cause = (await request.explain(status)) ?? withoutFailure(request.id, status)
  return { event: 'failed', code: 'START_FAILED', message: `Container ${request.id} did not start: ${cause.cause}`, next: cause.next }
}

function withoutFailure(id: ContainerId, { activeState, activeSinceMs, result }: UnitStatus): Cause {
  if (activeState === 'inactive' && activeSinceMs === 0) {
    return {
      cause: 'it does not run, and no start of it is under way',
      next: `Look at its last lines: gear log ${id}, or start it: gear start ${id}`,
    }
  }
  const cause = activeState === 'inactive' ? 'it ended at once, and successfully' : `it is ${activeState} (${result})`
  return { cause, next: `Look at its last lines: gear log ${id}` }
}

async function* ticks({ clock }: Pick<Host, 'clock'>, signal: AbortSignal): AsyncGenerator<'look'> {
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal).catch(ignoreAbort)
    yield 'look'
  }
}

async function* mapAsync<In, Out>(source: AsyncIterable<In>, map: (item: In) => Out | undefined): AsyncGenerator<Out> {
  for await (const item of source) {
    const out = map(item)
    if (out !== undefined) yield out
  }
}

/** Moves items into the channel; a source that fails ends the wait with its error. */
async function feed<Item, Fed extends Item>(channel: Channel<Item>, source: AsyncIterable<Fed>): Promise<void> {
  try {
    for await (const item of source) channel.push(item)
  } catch (error) {
    channel.fail(error)
  }
}

function ignoreAbort(): void {}
