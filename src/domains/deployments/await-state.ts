/** Waiting until an instance has started or stopped, by the report of its agent, which may be restarted meanwhile. */
import { type ContainerId, contract, GearError, limits, type Operation } from '../../api/index.ts'
import { reportedFailure, request } from '../../client/index.ts'
import { type LocatorHost, printHost } from '../../formats/index.ts'
import type { Hosts } from './hosts.ts'

export interface Awaited {
  readonly id: ContainerId
  readonly host: LocatorHost
  readonly state: 'started' | 'stopped'
  readonly deadline: AbortSignal
}

export interface AwaitOptions {
  readonly hosts: Hosts
  /** How long the deadline is, for the call itself. */
  readonly waitMs: number
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
}

const attemptsMax = 5
const pauseMs = 1000

/**
 * Throws why the instance did not come to the state. A report that breaks off, because the agent is restarted, is asked for again: what is waited
 * for does not need the agent.
 */
export async function awaitState(awaited: Awaited, options: AwaitOptions): Promise<void> {
  const signal = AbortSignal.any([options.hosts.signal, awaited.deadline])
  for (let attempt = 1; ; attempt++) {
    const broken = await hear(awaited, options, signal)
    if (broken === undefined) return
    if (attempt === attemptsMax || signal.aborted) throw broken
    await options.pause(pauseMs, signal)
  }
}

/** Answers why the report broke off, if it did. */
async function hear({ id, host, state }: Awaited, { hosts, waitMs }: AwaitOptions, signal: AbortSignal): Promise<GearError | undefined> {
  const wait = request('waitContainer', { params: { id }, query: { for: state } })
  const events = await hosts.call(host, wait, { limitMs: waitMs + limits.connectMs, signal })
  try {
    for await (const event of events) {
      if (event.event === 'reached') return undefined
      if (event.event !== 'failed' || event.code === 'HOST_UNREACHABLE') continue
      throw reportedFailure({ ...event, code: event.code ?? 'START_FAILED' }, contract.waitContainer as Operation)
    }
  } catch (error) {
    if (!(error instanceof GearError) || error.code !== 'HOST_UNREACHABLE') throw error
    return error
  }
  return new GearError('WAIT_TIMEOUT', `The agent of ${printHost(host)} stopped reporting before ${id} had ${state}`)
}
