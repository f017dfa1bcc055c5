/** A deploy from beginning to end: alone on its hosts, after a look at them, by the plan, with a report of what became of everything. */
import type { GearError } from '../../api/index.ts'
import { type LocatorHost, type NetworkLink, printHost } from '../../formats/index.ts'
import { type ApplyOptions, Deploy, type Outcome } from './apply.ts'
import { Hosts, type HostsOptions } from './hosts.ts'
import { type LeaseRequest, takeLease } from './lease.ts'
import { lookAtHosts } from './look.ts'
import { hostKey } from './members.ts'
import { type DeploymentPlan, withObserved } from './plan.ts'
import { type Change, type DeployStep, type InstanceState, instanceState, type StepProgress, stepsOf } from './steps.ts'

export interface DeployOptions extends HostsOptions, Omit<ApplyOptions, 'hosts'> {
  readonly lease: Omit<LeaseRequest, 'idPrefix' | 'containers' | 'pause'>
}

export interface DeployReport {
  /** The steps of the plan, in its order, and what became of each. */
  readonly steps: readonly StepProgress[]
  /** The same by instance. */
  readonly outcomes: readonly Outcome[]
  /** Hosts that could not be asked, or not any more, and why. */
  readonly lost: readonly { readonly host: LocatorHost; readonly error: GearError }[]
  /** What every instance of a container sees, by container. */
  readonly links: ReadonlyMap<string, readonly NetworkLink[]>
  /** Why it ended early: what the user did, or the error that says who has the lease now. */
  readonly stopReason: unknown
}

/** Carries a plan out. Throws, with nothing changed anywhere, when another deploy is under way, when a host does not exist, or when none answers. */
export async function deploy(plan: DeploymentPlan, options: DeployOptions): Promise<DeployReport> {
  const stop = new AbortController()
  const forward = (signal: AbortSignal) => {
    if (signal.aborted) stop.abort(signal.reason)
    else signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
  }
  forward(options.signal)
  const hosts = new Hosts({ connect: options.connect, signal: stop.signal, callMs: options.waitMs, pause: options.pause })
  try {
    const needed = new Set(plan.instances.map(({ host }) => hostKey(host)))
    const lease = await takeLease(
      hosts,
      placesOf(plan),
      { ...options.lease, idPrefix: plan.idPrefix, containers: plan.containers.map(({ name }) => name), pause: options.pause },
      host => needed.has(hostKey(host)),
    )
    forward(lease.lost)
    try {
      return await deployOn(hosts, plan, options)
    } finally {
      await lease.release()
    }
  } finally {
    await hosts.close()
  }
}

async function deployOn(hosts: Hosts, plan: DeploymentPlan, options: DeployOptions): Promise<DeployReport> {
  const looked = withObserved(plan, await lookAtHosts(hosts, plan))
  const losses = looked.instances.map(({ host }) => hosts.lossOf(host))
  if (losses[0] !== undefined && !losses.includes(undefined)) throw losses[0]
  const run = new Deploy(looked, { ...options, hosts })
  await run.run()
  return {
    steps: run.steps,
    outcomes: run.outcomes,
    lost: placesOf(plan).flatMap(host => {
      const error = hosts.lossOf(host)
      return error === undefined ? [] : [{ host, error }]
    }),
    links: new Map(plan.containers.map(({ name }) => [name, run.linksOf(name)])),
    stopReason: hosts.signal.aborted ? hosts.signal.reason : undefined,
  }
}

/** Every host that is changed, those first that get instances. */
function placesOf({ instances, removed }: DeploymentPlan): readonly LocatorHost[] {
  const all = [...instances, ...removed].map(({ host }) => host)
  return [...Map.groupBy(all, hostKey).values()].flatMap(same => same.slice(0, 1))
}

/** What a deploy would do, after a look at the hosts, which changes nothing on them; why some of them did not answer. */
export async function previewDeploy(
  plan: DeploymentPlan,
  { waitMs, ...options }: HostsOptions & Pick<ApplyOptions, 'waitMs'>,
): Promise<{ readonly steps: readonly DeployStep[]; readonly lost: readonly GearError[] }> {
  const hosts = new Hosts(options)
  try {
    const looked = withObserved(plan, await lookAtHosts(hosts, plan))
    return { steps: stepsOf(looked, { waitMs }), lost: placesOf(plan).flatMap(host => hosts.lossOf(host) ?? []) }
  } finally {
    await hosts.close()
  }
}

/** What was done on each host, as counts of instances. */
export function hostRows(outcomes: readonly Outcome[]) {
  const groups = Map.groupBy(outcomes, ({ host }) => hostKey(host))
  return [...groups.values()].map(all => {
    const failed = all.filter(({ error }) => error !== undefined)
    const others = all.filter(({ error }) => error === undefined).map(({ change, steps }) => ({ change, state: instanceState(steps) }))
    const done = (...changes: readonly Change[]) =>
      others.filter(({ change, state }) => state === 'done' && changes.includes(change)).length
    const left = (...states: readonly InstanceState[]) => others.filter(({ state }) => states.includes(state)).length
    return {
      host: printHost((all[0] as Outcome).host),
      installed: done('install', 'move'),
      updated: done('update'),
      kept: done('keep', 'relink', 'start'),
      deleted: done('delete'),
      failed: failed.length,
      unfinished: left('unknown', 'unfinished', 'failed'),
      notBegun: left('notBegun'),
    }
  })
}
