/** The text of a stop that waits (spec §4.4): the unit's journal as it stops, then one line on how it ended; at most 15 seconds. */
import { type ContainerId, containerUnit, limits } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { deadlineIn } from './deadline.ts'
import { waitForContainer } from './wait.ts'

interface StopWait {
  readonly id: ContainerId
  readonly signal: AbortSignal
}

export async function* untilStopped(host: Host, { id, signal }: StopWait): AsyncGenerator<string> {
  using deadline = deadlineIn(host.clock, limits.stopWaitMs)
  let isStopped = false
  for await (const { event, message } of waitForContainer(host, {
    id,
    target: 'stopped',
    signal: AbortSignal.any([signal, deadline.signal]),
    explain: async () => undefined,
  })) {
    if (event === 'log') yield `${message}\n`
    isStopped = event === 'reached'
  }
  if (isStopped) yield `Container ${id} is stopped\n`
  else yield `Container ${id} is still ${(await host.units.status(containerUnit(id))).activeState}; it goes on stopping\n`
}
