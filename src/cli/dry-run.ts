/** `--dry-run`: the plans of the calls that a command would make. The agents look at their hosts as for the call itself, and do nothing. */
import type { Plan } from '../api/index.ts'
import { planOf, type Request } from '../client/index.ts'
import type { HostTargets } from './arguments.ts'
import type { Context } from './context.ts'
import type { CommonFlags } from './flags.ts'
import { foreignText } from './render/foreign-text.ts'
import { requestAll } from './requests.ts'
import { runWork, type Task } from './run.ts'

/** One plan for each target, in their order. */
export function showPlans<Each extends Task & { readonly request: Request }>(
  context: Context,
  flags: CommonFlags,
  groups: readonly HostTargets<Each>[],
): Promise<number> {
  return runWork(context, flags, {
    groups: requestAll(groups, task => ({ plan: planOf(task.request) })),
    run: async ({ task, client, signal }): Promise<Plan> => client.call(task.plan, { signal }),
    show: async done => {
      for (const { task, value } of done) await context.out.write(planText(task.name, value))
    },
  })
}

/** A plan that was made in this process, in the words and the document of those that hosts answer. */
export async function showPlan(
  context: Context,
  flags: CommonFlags,
  { host, id, name, plan }: { readonly host: string; readonly id?: string; readonly name: string; readonly plan: Plan },
): Promise<number> {
  const document = [{ host, ...(id === undefined ? {} : { id }), ok: true, ...plan }]
  await context.out.write(flags.output === 'json' ? `${JSON.stringify(document)}\n` : planText(name, plan))
  return 0
}

/**
 * `web-1: 2 steps`, then for each step what it does to what, and why below:
 *
 *     1. link unit  /etc/systemd/system/ctr-web-1.service
 *        systemd looks for units there
 */
export function planText(name: string, { steps }: Plan): string {
  if (steps.length === 0) return foreignText(`${name}: nothing to do\n`)
  const width = String(steps.length).length
  const lines = steps.flatMap(({ kind, on, reason }, index) => [
    `  ${String(index + 1).padStart(width)}. ${wordsOf(kind)}${on.length === 0 ? '' : `  ${on.join(' ')}`}`,
    `  ${' '.repeat(width + 2)}${reason}`,
  ])
  return foreignText(`${[`${name}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`, ...lines].join('\n')}\n`)
}

/** `swapUnit` as people write it: `swap unit`. */
function wordsOf(kind: string): string {
  return kind.replaceAll(/(?<=[a-z])[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
}
