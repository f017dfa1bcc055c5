/**
 * Plans as data: a step has a kind and a reason for a person to read. What a kind of step does is one function in a table, so a plan is
 * carried out by a loop that knows nothing. The observer sees every step before and after it ran: logs and tests hang there. With a `DryRun`
 * the same steps are kept for the caller to read, and nothing is done.
 */
export interface Step {
  readonly kind: string
  /** Why the step is in the plan. */
  readonly reason: string
}

export type StepObserver<Any extends Step> = (step: Any, when: 'before' | 'after') => void | Promise<void>

/** The same for plans of many subjects, each with the id of what it is for. */
export type NamedStepObserver = (id: string, step: Step, when: 'before' | 'after') => void | Promise<void>

type Appliers<Any extends Step> = { readonly [Kind in Any['kind']]: (step: Extract<Any, { readonly kind: Kind }>) => Promise<void> }

/**
 * Carries steps out one by one; the first failure ends it and is thrown. What was done stays: the next look at the host sees it. In a dry run the
 * steps are written down instead.
 */
export async function applySteps<Any extends Step>(
  steps: readonly Any[],
  appliers: Appliers<Any>,
  observe: StepObserver<Any> = () => undefined,
  dryRun?: DryRun,
): Promise<void> {
  if (dryRun !== undefined) {
    dryRun.add(steps)
    return
  }
  for (const step of steps) {
    await observe(step, 'before')
    const apply = appliers[step.kind as Any['kind']] as (step: Any) => Promise<void>
    await apply(step)
    await observe(step, 'after')
  }
}

/** A step as whoever asked for a dry run reads it. */
export interface PlannedStep {
  readonly kind: string
  /** What it is about: paths, ports, units. */
  readonly on: string[]
  readonly reason: string
}

/** The steps of work that was to be planned only, in the order in which they would be carried out. */
export class DryRun {
  readonly #steps: PlannedStep[] = []

  get steps(): PlannedStep[] {
    return [...this.#steps]
  }

  add(steps: readonly Step[]): void {
    for (const step of steps) this.#steps.push(plannedStep(step))
  }
}

/** A step as people may read it: without what is nobody's business. */
export function plannedStep(step: Step): PlannedStep {
  return { kind: step.kind, on: subjectsOf(step), reason: step.reason }
}

/** The fields of a step that say what it is about. Others may hold what is nobody's business, such as the values of variables. */
const subjectFields = [
  'id',
  'name',
  'account',
  'login',
  'unit',
  'ports',
  'path',
  'from',
  'to',
  'target',
  'folders',
  'image',
  'repository',
  'fingerprint',
] as const

function subjectsOf(step: Step): string[] {
  const fields = step as Step & Readonly<Record<string, unknown>>
  const values = subjectFields.map(name => fields[name]).flatMap(value => (Array.isArray(value) ? value : [value]))
  return [...new Set(values.filter(value => typeof value === 'string' || typeof value === 'number').map(String))]
}
