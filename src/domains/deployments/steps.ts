/**
 * What a deploy does to each instance, step by step and in its order, with a reason for each. A dry run tells these steps, and a deploy carries
 * just these out (apply.ts). Pure.
 */
import { type LocatorHost, printHost } from '../../formats/index.ts'
import type { Removed } from './members.ts'
import type { DeploymentPlan, PlannedInstance } from './plan.ts'

/**
 * `install`, `move`: the first there, or the first there after it was elsewhere. `link`: before its start. `wait`: until it runs. `update`: it is
 * installed again, which changes nothing of what runs until the `restart`. `relink`: while it runs. `keep`: nothing, but that links which are not in
 * effect are sent again.
 */
export type StepKind = 'install' | 'move' | 'link' | 'start' | 'wait' | 'update' | 'restart' | 'relink' | 'keep' | 'delete'

export interface DeployStep {
  readonly kind: StepKind
  /** The very object of the plan. */
  readonly of: PlannedInstance | Removed
  readonly reason: string
}

/** All steps. Those of one phase, which is one kind but for updates, are carried out on all hosts at once, and in this order on each of them. */
export function stepsOf(plan: DeploymentPlan, { waitMs }: { readonly waitMs: number }): readonly DeployStep[] {
  const { instances, removed } = plan
  const deletes = (isFirst: boolean) =>
    removed.filter(each => each.isFirst === isFirst).map((of): DeployStep => ({ kind: 'delete', of, reason: of.reason }))
  const starting = instances.filter(({ fate }) => fate === 'install' || fate === 'move' || fate === 'start')
  const fresh = starting.filter(({ fate }) => fate !== 'start')
  const together = `all that start here are to run within ${waitMs / 1000} s`
  return [
    ...deletes(true),
    ...fresh.map((of): DeployStep => ({ kind: of.fate as StepKind, of, reason: of.reason })),
    ...starting.flatMap((of): readonly DeployStep[] => {
      const targets = linkTargets(plan, of.group)
      return targets.length === 0 ? [] : [{ kind: 'link', of, reason: `it has links to ${targets.join(', ')}` }]
    }),
    ...starting.map((of): DeployStep => ({ kind: 'start', of, reason: of.fate === 'start' ? of.reason : 'it is new here' })),
    ...starting.map((of): DeployStep => ({ kind: 'wait', of, reason: together })),
    ...updates(plan, waitMs),
    ...instances.flatMap((of): readonly DeployStep[] => {
      if (of.fate === 'update') return of.linksLate === undefined ? [] : [{ kind: 'relink', of, reason: of.linksLate }]
      return of.fate === 'relink' || of.fate === 'keep' ? [{ kind: of.fate, of, reason: of.reason }] : []
    }),
    ...deletes(false),
  ]
}

/** Those of one container one after the other. */
function updates({ instances, containers }: DeploymentPlan, waitMs: number): readonly DeployStep[] {
  return containers.flatMap(({ name }) => {
    const all = instances.filter(({ fate, group }) => fate === 'update' && group === name)
    return all.flatMap((of, index): readonly DeployStep[] => {
      const next = all[index + 1]
      return [
        { kind: 'update', of, reason: of.reason },
        { kind: 'restart', of, reason: 'what runs is from before' },
        {
          kind: 'wait',
          of,
          reason: `it is to run within ${waitMs / 1000} s${next === undefined ? '' : `, before ${next.id} is updated`}`,
        },
      ]
    })
  })
}

/** The containers of the file that one has links to. */
function linkTargets({ links, instances }: DeploymentPlan, group: string): readonly string[] {
  const groupOf = new Map(instances.map(({ id, host, group: name }) => [`${printHost(host)} ${id}`, name]))
  return [...new Set((links.get(group) ?? []).map(({ to }) => groupOf.get(`${printHost(to.host)} ${to.id}`) ?? to.id))]
}

/** A step as users and programs are told of it. */
export function stepRow({ kind, of, reason }: DeployStep) {
  return { step: kind, id: of.id, host: printHost(of.host), reason }
}

/**
 * `unknown`: it was asked for, and how it went was not seen: the host never answered, or the user did not wait. `failed`: the host says so.
 */
export type StepState = 'done' | 'failed' | 'unknown' | 'notBegun'

export interface StepProgress {
  readonly step: DeployStep
  state: StepState
}

export type Change = PlannedInstance['fate'] | 'delete'

/** `unfinished`: some of its steps are done, and the next was not begun. */
export type InstanceState = StepState | 'unfinished'

export interface InstanceProgress {
  readonly change: Change
  readonly id: string
  readonly group: string
  readonly host: LocatorHost
  readonly reason: string
  readonly steps: readonly StepProgress[]
}

export function instanceState(steps: readonly StepProgress[]): InstanceState {
  const open = steps.find(({ state }) => state !== 'done')
  if (open === undefined) return 'done'
  // What was started goes on, whether anybody waits or not.
  if (open.step.kind === 'wait' && open.state === 'notBegun') return 'unknown'
  return open.state === 'notBegun' && open !== steps[0] ? 'unfinished' : open.state
}

/** `installed, started, not seen to run` */
export function progressWords(steps: readonly StepProgress[]): string {
  const at = steps.findIndex(({ state }) => state !== 'done')
  const done = (at < 0 ? steps : steps.slice(0, at)).flatMap(({ step }) => doneWords[step.kind] ?? [])
  const open = at < 0 ? undefined : steps[at]
  if (open === undefined || open.state === 'done') return done.join(', ')
  return [...done, openWords[open.state][open.step.kind]].join(', ')
}

const doneWords: Readonly<Partial<Record<StepKind, string>>> = {
  install: 'installed',
  move: 'installed',
  start: 'started',
  wait: 'runs',
  update: 'installed again',
  restart: 'restarted',
  relink: 'has its new links',
  keep: 'as it was',
  delete: 'deleted',
}

const openWords: Readonly<Record<'failed' | 'unknown' | 'notBegun', Readonly<Record<StepKind, string>>>> = {
  failed: {
    install: 'not installed',
    move: 'not installed',
    link: 'not linked, not started',
    start: 'not started',
    wait: 'did not come up',
    update: 'as it was',
    restart: 'not restarted',
    relink: 'without its new links',
    keep: 'its links are not in effect',
    delete: 'still there',
  },
  unknown: {
    install: 'its installation was asked for',
    move: 'its installation was asked for',
    link: 'its links were asked for, not started',
    start: 'its start was asked for',
    wait: 'not seen to run',
    update: 'its installation was asked for, not restarted',
    restart: 'its restart was asked for',
    relink: 'its new links were asked for',
    keep: 'its links were asked for again',
    delete: 'its deletion was asked for',
  },
  notBegun: {
    install: 'not installed',
    move: 'not installed',
    link: 'not started',
    start: 'not started',
    wait: 'not seen to run',
    update: 'as it was',
    restart: 'not restarted',
    relink: 'without its new links',
    keep: 'as it was',
    delete: 'still there',
  },
}
