/**
 * Plans as data: a step has a kind and a reason for a person to read. What a kind of step does is one function in a table, so a plan is
 * carried out by a loop that knows nothing. The observer sees every step before and after it ran: logs, dry runs and tests hang there.
 */
export interface Step {
  readonly kind: string
  /** Why the step is in the plan. */
  readonly reason: string
}

export type StepObserver<Any extends Step> = (step: Any, when: 'before' | 'after') => void | Promise<void>

type Appliers<Any extends Step> = { readonly [Kind in Any['kind']]: (step: Extract<Any, { readonly kind: Kind }>) => Promise<void> }

/** Carries steps out one by one; the first failure ends it and is thrown. What was done stays: the next look at the host sees it. */
export async function applySteps<Any extends Step>(
  steps: readonly Any[],
  appliers: Appliers<Any>,
  observe: StepObserver<Any> = () => undefined,
): Promise<void> {
  for (const step of steps) {
    await observe(step, 'before')
    const apply = appliers[step.kind as Any['kind']] as (step: Any) => Promise<void>
    await apply(step)
    await observe(step, 'after')
  }
}
