/**
 * Dry runs: `?dry-run=1` on a call that changes something answers what would be done, step by step with reasons, from the same plan that is
 * otherwise applied.
 */
import { DryRun } from '../lib/index.ts'
import { optionalQueryFlag, text } from './fields.ts'
import type { Call, Operation } from './operation.ts'
import * as z from './schemas.ts'
import { fromText, inputInvalid } from './wire.ts'

/** The query parameter that asks for one. */
export const dryRunParameter = 'dry-run'

/**
 * The value of the header `Expect` with which clients ask as well: an agent that knows no dry runs answers 417 to it by itself (RFC 9110,
 * section 10.1.1; Node and Go do), where it would pass over the parameter and carry the call out.
 */
export const dryRunExpectation = 'dry-run'

/** What would be done, in this order. Empty when there is nothing to do. */
export const planData = z.object({ steps: z.array(z.object({ kind: text, on: z.array(text), reason: text })) })
export type Plan = z.infer<typeof planData>

const parameters = z.object({ [dryRunParameter]: optionalQueryFlag })

/** Whether a call is to be planned only. Throws INPUT_INVALID where there is no plan to show, rather than carrying the call out. */
export function isDryRun(operation: Operation, query: Readonly<Record<string, string>>): boolean {
  const isAsked = fromText(parameters, query)[dryRunParameter] === true
  if (!isAsked || operation.effect === 'read') return false
  requireDryRun(operation)
  return true
}

/** The dry run of an operation, as an operation: it changes nothing and answers a plan. Throws INPUT_INVALID where there is none. */
export function dryRunOf(operation: Operation): Operation {
  requireDryRun(operation)
  const reply: Operation<unknown, unknown, unknown, Plan, 'data'>['reply'] = {
    kind: 'data',
    schema: planData,
    table: { columns: ['STEP', 'ON', 'REASON'], rows: ({ steps }) => steps.map(({ kind, on, reason }) => [kind, on.join(' '), reason]) },
  }
  return { ...operation, effect: 'read', reply: reply as Operation['reply'] }
}

function requireDryRun({ id, hasDryRun }: Operation): void {
  if (hasDryRun !== true) throw inputInvalid([{ field: dryRunParameter, rule: `is not possible for ${id}` }])
}

/** The handler of a dry run, from that of its operation. */
export function planning<Given extends Call<unknown, unknown, unknown>>(handler: (call: Given) => Promise<unknown>) {
  return async (call: Given): Promise<Plan> => {
    const dryRun = new DryRun()
    await handler({ ...call, dryRun })
    return { steps: dryRun.steps }
  }
}
