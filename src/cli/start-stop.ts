/** Start, stop and restart: one call per container, and on request the wait for what it queued. */
import { type Request, request } from '../client/index.ts'
import { sayAnswer, waitFor } from './answers.ts'
import { readTargets } from './arguments.ts'
import type { Context } from './context.ts'
import { showPlans } from './dry-run.ts'
import type { CommonFlags, DryRunFlags } from './flags.ts'
import { requestAll } from './requests.ts'
import { runWork } from './run.ts'

type StartStopName = 'startContainer' | 'stopContainer' | 'restartContainer'

export interface StartStop {
  readonly operation: StartStopName
  /** `start`, for messages. */
  readonly verb: string
  /** For stop: follow it, for at most 15 s. */
  readonly isFollowed?: boolean
  /** Wait until this is reached. */
  readonly waitFor: 'started' | 'stopped' | undefined
}

export function startOrStop(
  context: Context,
  flags: CommonFlags & DryRunFlags,
  args: readonly string[],
  change: StartStop,
): Promise<number> {
  const groups = requestAll(readTargets(args, 'container'), ({ id }) => ({ request: callOf(change, id) }))
  if (flags.dryRun) return showPlans(context, flags, groups)
  return runWork(context, flags, {
    groups,
    change: ({ id, name }) => ({ what: `The ${change.verb} of ${id}`, look: `gear status ${name}` }),
    run: async call => {
      const { task, client, signal, say } = call
      await sayAnswer(await client.call(task.request, { signal }), say)
      if (change.waitFor !== undefined) await waitFor(context, call, task.id, change.waitFor)
      return change.waitFor === undefined ? {} : { state: change.waitFor }
    },
  })
}

function callOf({ operation, isFollowed }: StartStop, id: string): Request<StartStopName, 'text'> {
  if (operation === 'stopContainer') return request(operation, { params: { id }, body: { wait: isFollowed ?? false } })
  return request(operation, { params: { id } })
}
