/** The calls of a command, all made and checked before any is sent. */
import { GearError } from '../api/index.ts'
import type { HostTargets } from './arguments.ts'
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
