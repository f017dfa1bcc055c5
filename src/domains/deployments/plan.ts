/**
 * From a deployment file and a list of hosts to what is to be done, with a reason for each (spec §10.3). Pure: nothing is asked of any host here.
 * What hosts say of themselves is worked in afterwards, by `withObserved`.
 */
import type { Deployment } from '../../api/deployment-file.ts'
import { type ContainerId, limits } from '../../api/index.ts'
import { hostNameOf, type LocatorHost, type NetworkLink, printHost } from '../../formats/index.ts'
import { linksByPriority, type PlacedLink, reserveAddresses, withAliases } from './addresses.ts'
import { deploymentInvalid } from './file.ts'
import { type Draft, hostKey, type MembersInput, planMembers, type Removed } from './members.ts'

export interface PlannedPort {
  readonly internal: number
  /** 0 while the host has not chosen one. */
  readonly external: number
  readonly target: { readonly host: string; readonly port: number } | undefined
}

/**
 * `install`: it is new, or its host has lost it. `move`: it is new here and was elsewhere. `update`: it is installed again and restarted. `relink`:
 * only its links change, while it runs. `start`: it is as it should be, but has failed. `keep`: nothing but that its links are sent again.
 */
export type Fate = 'install' | 'move' | 'update' | 'relink' | 'start' | 'keep'

export interface PlannedInstance {
  readonly id: ContainerId
  /** The container of the file that it is one of. */
  readonly group: string
  readonly host: LocatorHost
  readonly image: Draft['image']
  readonly environment: Draft['environment']
  readonly ports: readonly PlannedPort[]
  readonly fate: Fate
  readonly reason: string
  readonly movedFrom: LocatorHost | undefined
}

/** A link that every instance of a container has: from a local address to a port of another instance. */
export interface PlannedLink {
  readonly fromHost: string
  readonly fromPort: number
  readonly toHost: string
  /** Of the target; its external port is known when it is installed. */
  readonly to: { readonly id: ContainerId; readonly host: LocatorHost; readonly internal: number }
}

export interface DeploymentPlan {
  /** As they are written down: with the ports that links lead to among their aliases. */
  readonly containers: Deployment['containers']
  readonly idPrefix: string
  readonly randomizeIds: boolean
  readonly instances: readonly PlannedInstance[]
  readonly removed: readonly Removed[]
  /** By container. */
  readonly links: ReadonlyMap<string, readonly PlannedLink[]>
}

/** Throws DEPLOYMENT_INVALID with the place in the file. */
export function planDeployment(input: MembersInput): DeploymentPlan {
  const { deployment } = input
  const containers = withAliases(deployment.containers)
  const { drafts, removed } = planMembers({ ...input, deployment: { ...deployment, containers } })
  const placed = linksByPriority(containers)
  const { readdressed } = reserveAddresses(drafts, placed)
  const links = materialise(containers, placed, drafts)
  const targets = new Map(containers.map(group => [group.name, new Set(group.links.map(({ to }) => to))]))
  const changed = changedGroups(drafts, removed, readdressed)
  return {
    containers,
    idPrefix: deployment.idPrefix,
    randomizeIds: deployment.randomizeIds,
    instances: drafts.map(draft => plannedOf(draft, whyRelink(targets.get(draft.group) ?? new Set(), changed))),
    removed,
    links,
  }
}

/** Containers whose instances others reach in another way than before, with the reason. */
function changedGroups(
  drafts: readonly Draft[],
  removed: readonly Removed[],
  readdressed: ReadonlySet<Draft>,
): ReadonlyMap<string, string> {
  const changed = new Map<string, string>()
  const note = (group: string, reason: string) => {
    if (!changed.has(group)) changed.set(group, reason)
  }
  for (const draft of drafts) {
    if (draft.movedFrom !== undefined) note(draft.group, `${draft.id} is on ${printHost(draft.host)} now`)
    else if (draft.isNew) note(draft.group, `${draft.id} is new`)
    else if (draft.changes.some(change => change.startsWith('port '))) note(draft.group, `${draft.id} has other ports`)
    else if (readdressed.has(draft)) note(draft.group, `${draft.id} has another address`)
  }
  for (const { id, group, movedTo } of removed) if (movedTo === undefined && group !== '') note(group, `${id} goes`)
  return changed
}

function whyRelink(targets: ReadonlySet<string>, changed: ReadonlyMap<string, string>): string | undefined {
  for (const target of targets) {
    const reason = changed.get(target)
    if (reason !== undefined) return reason
  }
  return undefined
}

function plannedOf(draft: Draft, relink: string | undefined): PlannedInstance {
  const { id, group, host, image, environment, movedFrom } = draft
  const ports = draft.ports.map(({ internal, external, target }) => ({ internal, external, target }))
  return { id, group, host, image, environment, ports, movedFrom, ...fateOf(draft, relink) }
}

function fateOf({ isNew, changes, group, movedFrom }: Draft, relink: string | undefined): Pick<PlannedInstance, 'fate' | 'reason'> {
  if (movedFrom !== undefined) return { fate: 'move', reason: `${printHost(movedFrom)} is not among the hosts` }
  if (isNew) return { fate: 'install', reason: `${group} has too few instances` }
  if (changes.length > 0) return { fate: 'update', reason: `changed: ${changes.join(', ')}` }
  if (relink !== undefined) return { fate: 'relink', reason: relink }
  return { fate: 'keep', reason: 'nothing has changed' }
}

/** Every instance of a container has the same links: to every instance of every container it links to, by every alias. */
function materialise(
  containers: Deployment['containers'],
  placed: readonly PlacedLink[],
  drafts: readonly Draft[],
): ReadonlyMap<string, readonly PlannedLink[]> {
  const byGroup = Map.groupBy(drafts, draft => draft.group)
  const links = new Map(containers.map(group => [group.name, [] as PlannedLink[]]))
  const seen = new Set<string>()
  for (const { source, link, path } of placed) {
    const targets = byGroup.get(link.to) ?? []
    const sources = byGroup.get(source.name) ?? []
    requireReachable(sources, targets, path)
    const list = links.get(source.name) ?? []
    if (sources.length > 0 && list.length + targets.length * link.aliasPorts.length > limits.linksMax) {
      throw deploymentInvalid([{ field: path, rule: `gives every ${source.name} more than ${limits.linksMax} links` }])
    }
    for (const { internal } of link.aliasPorts) {
      for (const { id, host, ports } of targets) {
        const target = ports.find(port => port.internal === internal)?.target
        if (target === undefined) throw new Error(`${id} has no address for its port ${internal}`)
        // Two links of one container may lead to the same port.
        const identity = `${source.name} ${target.host}:${target.port}`
        if (seen.has(identity)) continue
        seen.add(identity)
        list.push({ fromHost: target.host, fromPort: target.port, toHost: hostNameOf(host), to: { id, host, internal } })
      }
    }
  }
  return links
}

/** A name such as `localhost` leads every host to itself, so nothing on another host is reached by it. */
function requireReachable(sources: readonly Draft[], targets: readonly Draft[], path: string): void {
  const target = targets.find(({ host }) => isThisMachine(host))
  const source = target === undefined ? undefined : sources.find(({ host }) => !isThisMachine(host))
  if (target === undefined || source === undefined) return
  const rule = `leads from ${source.id} on ${printHost(source.host)} to ${target.id} on ${printHost(target.host)}, which is no name that ${printHost(source.host)} knows this machine by`
  throw deploymentInvalid([{ field: path, rule: `${rule}: give the machine's own name or address among the hosts` }])
}

function isThisMachine(host: LocatorHost): boolean {
  return host.kind === 'local' || /^(?:localhost$|127\.|::1$)/i.test(host.name)
}

/** The external ports that are known, by `hostKey id internal`. */
export type KnownPorts = ReadonlyMap<string, number>

export function portKey(host: LocatorHost, id: ContainerId, internal: number): string {
  return `${hostKey(host)} ${id} ${internal}`
}

/** The links of an instance as its host takes them; a target whose port is not known yet has port 0. */
export function networkLinksOf(plan: DeploymentPlan, group: string, known: KnownPorts): readonly NetworkLink[] {
  return (plan.links.get(group) ?? []).map(({ fromHost, fromPort, toHost, to }) => ({
    fromHost,
    fromPort,
    toHost,
    toPort: known.get(portKey(to.host, to.id, to.internal)) ?? 0,
  }))
}

/** What a host says of itself: the containers it has, by id, and whether each has failed. */
export type Observed = ReadonlyMap<string, ReadonlyMap<string, 'fine' | 'failed'>>

/** The plan as it is when what hosts said is known; a host that said nothing is taken to be as the file has it. */
export function withObserved(plan: DeploymentPlan, observed: Observed): DeploymentPlan {
  const instances = plan.instances.map((instance): PlannedInstance => {
    const found = observed.get(hostKey(instance.host))
    if (found === undefined || instance.fate === 'install' || instance.fate === 'move') return instance
    const state = found.get(instance.id)
    if (state === undefined) {
      // Whichever port it had may be another's now.
      const fixed = new Map(
        plan.containers.find(({ name }) => name === instance.group)?.publicPorts.map(pair => [pair.internal, pair.external]),
      )
      const ports = instance.ports.map(port => ({ ...port, external: fixed.get(port.internal) ?? 0 }))
      return { ...instance, ports, fate: 'install', reason: `${printHost(instance.host)} does not have it any more` }
    }
    if (state === 'failed' && (instance.fate === 'keep' || instance.fate === 'relink'))
      return { ...instance, fate: 'start', reason: 'it has failed' }
    return instance
  })
  return { ...plan, instances }
}
