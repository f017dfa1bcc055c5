/** Start, stop and restart: one call per container, and on request the wait for what it queued. */
import { GearError } from '../api/index.ts'
import { type Request, request } from '../client/index.ts'
import { sayAnswer, waitFor } from './answers.ts'
import { type HostTargets, readTargets } from './arguments.ts'
import type { Context } from './context.ts'
import type { CommonFlags } from './flags.ts'
import { runWork } from './run.ts'
import { UsageError } from './usage-error.ts'

/** Makes the calls of all targets; the first that breaks a rule ends the command before anything is sent. */
export function requestAll<Each extends { readonly name: string }, Made extends object>(
  groups: readonly HostTargets<Each>[],
  make: (target: Each) => Made,
): readonly HostTargets<Each & Made>[] {
  return groups.map(({ host, targets }) => ({
    host,
    targets: targets.map(target => ({ ...target, ...checked(target.name, () => make(target)) })),
  }))
}

function checked<Made>(name: string, make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    if (error instanceof GearError && error.code === 'INPUT_INVALID') throw new UsageError(`${name}: ${error.message}`)
    throw error
  }
}

type ChangeName = 'startContainer' | 'stopContainer' | 'restartContainer'

export interface Change {
  readonly operation: ChangeName
  /** `start`, for messages. */
  readonly verb: string
  /** For stop: follow it, for at most 15 s. */
  readonly isFollowed?: boolean
  /** Wait until this is reached. */
  readonly waitFor: 'started' | 'stopped' | undefined
}

export function changeContainers(context: Context, flags: CommonFlags, args: readonly string[], change: Change): Promise<number> {
  const groups = requestAll(readTargets(args, 'container'), ({ id }) => ({ call: callOf(change, id) }))
  return runWork(context, flags, {
    groups,
    change: ({ id, name }) => ({ what: `The ${change.verb} of ${id}`, look: `gear status ${name}` }),
    run: async call => {
      const { task, client, signal, say } = call
      await sayAnswer(await client.call(task.call, { signal }), say)
      if (change.waitFor !== undefined) await waitFor(call, task.id, change.waitFor)
      return change.waitFor === undefined ? {} : { state: change.waitFor }
    },
  })
}

function callOf({ operation, isFollowed }: Change, id: string): Request<ChangeName, 'text'> {
  if (operation === 'stopContainer') return request(operation, { params: { id }, body: { wait: isFollowed ?? false } })
  return request(operation, { params: { id } })
}
