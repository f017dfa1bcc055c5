/**
 * From a deployment file and a list of hosts to what is to be done, with a reason for each (spec §10.3). Pure: nothing is asked of any host here.
 * What hosts say of themselves is worked in afterwards, by `withObserved`.
 */
import type { Deployment } from '../../api/deployment-file.ts'
import { type ContainerId, limits } from '../../api/index.ts'
import { hostNameOf, type LocatorHost, type NetworkLink, type PortPair, printHost } from '../../formats/index.ts'
import { linksByPriority, type PlacedLink, reserveAddresses, withAliases } from './addresses.ts'
import { placeInvalid } from './file.ts'
import { type Draft, hostKey, type MembersInput, planMembers, type Removed } from './members.ts'

export interface PlannedPort {
  readonly internal: number
  /** 0 while the host has not chosen one. */
  readonly external: number
  readonly target: { readonly host: string; readonly port: number } | undefined
}

/**
 * `install`: it is new, or its host has lost it. `move`: it is new here and was elsewhere. `update`: it is installed again and restarted. `relink`:
 * only its links change, while it runs. `start`: it is as it should be, but does not run. `keep`: nothing but that links which are not in effect are sent again.
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
  /** It runs as a Unix account of its own. */
  readonly isIsolated: boolean
  readonly fate: Fate
  readonly reason: string
  readonly movedFrom: LocatorHost | undefined
  /** How the last deploy left it here, where it did. */
  readonly before: Draft['before']
  /** Its host has just the links that it is to have, and they are in effect. */
  readonly isLinked: boolean
  /** Why it gets its links once more after its own update: what they lead to is known only when others are updated, too. */
  readonly linksLate: string | undefined
}

/** A link that every instance of a container has: from a local address to a port of another instance. */
export interface PlannedLink {
  readonly fromHost: string
  readonly fromPort: number
  /** Its external port is known when it is installed. */
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
  const chosenLate = new Map(drafts.filter(hasNewPort).map(({ id, group }) => [group, `${id} gets a port that its host chooses`]))
  return {
    containers,
    idPrefix: deployment.idPrefix,
    randomizeIds: deployment.randomizeIds,
    instances: drafts.map(draft => {
      const seen = targets.get(draft.group) ?? new Set()
      const planned = plannedOf(draft, whyRelink(seen, changed))
      return planned.fate === 'update' ? { ...planned, linksLate: whyRelink(seen, chosenLate) } : planned
    }),
    removed,
    links,
  }
}

/** It is updated, and a port of it is not known before. */
function hasNewPort({ isNew, changes, ports }: Draft): boolean {
  return !isNew && changes.length > 0 && ports.some(({ external }) => external === 0)
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
  const { id, group, host, image, environment, isIsolated, movedFrom, before } = draft
  const ports = draft.ports.map(({ internal, external, target }) => ({ internal, external, target }))
  return {
    id,
    group,
    host,
    image,
    environment,
    ports,
    isIsolated,
    movedFrom,
    before,
    isLinked: false,
    linksLate: undefined,
    ...fateOf(draft, relink),
  }
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
      throw placeInvalid(path, `gives every ${source.name} more than ${limits.linksMax} links`)
    }
    for (const { internal } of link.aliasPorts) {
      for (const { id, host, ports } of targets) {
        const target = ports.find(port => port.internal === internal)?.target
        if (target === undefined) throw new Error(`${id} has no address for its port ${internal}`)
        // Two links of one container may lead to the same port.
        const identity = `${source.name} ${target.host}:${target.port}`
        if (seen.has(identity)) continue
        seen.add(identity)
        list.push({ fromHost: target.host, fromPort: target.port, to: { id, host, internal } })
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
  throw placeInvalid(path, `${rule}: give the machine's own name or address among the hosts`)
}

function isThisMachine(host: LocatorHost): boolean {
  return host.kind === 'local' || /^(?:localhost$|127\.|::1$)/i.test(host.name)
}

/** Where the port of an instance is found; port 0 while that is not known. */
export type FindTarget = (to: PlannedLink['to']) => { readonly toHost: string; readonly toPort: number }

/** The links of every instance of a container, as its host takes them. */
export function networkLinksOf(plan: DeploymentPlan, group: string, find: FindTarget): readonly NetworkLink[] {
  return (plan.links.get(group) ?? []).map(({ fromHost, fromPort, to }) => ({ fromHost, fromPort, ...find(to) }))
}

/** How an instance is on its host, with the ports that it has there where the file does not tell them. */
export interface ObservedInstance {
  readonly state: 'runs' | 'stopped' | 'failed'
  readonly ports?: readonly PortPair[]
  /** Its links, where they were asked for. */
  readonly links?: readonly ObservedLink[]
}

export interface ObservedLink extends NetworkLink {
  readonly state: string
}

/** What hosts say of themselves, by `hostKey`: the containers they have, by id. */
export type Observed = ReadonlyMap<string, ReadonlyMap<string, ObservedInstance>>

/** The plan as it is when what hosts said is known; a host that said nothing is taken to be as the file has it. */
export function withObserved(plan: DeploymentPlan, observed: Observed): DeploymentPlan {
  const instances = plan.instances.map((instance): PlannedInstance => {
    const found = observed.get(hostKey(instance.host))
    if (found === undefined || instance.before === undefined) return instance
    const seen = found.get(instance.id)
    if (seen === undefined) {
      // Whichever port it had may be another's now.
      const fixed = new Map(
        plan.containers.find(({ name }) => name === instance.group)?.publicPorts.map(pair => [pair.internal, pair.external]),
      )
      const ports = instance.ports.map(port => ({ ...port, external: fixed.get(port.internal) ?? 0 }))
      return { ...instance, ports, fate: 'install', reason: `${printHost(instance.host)} does not have it` }
    }
    const externals = new Map(seen.ports?.map(({ internal, external }) => [internal, external]))
    const ports = instance.ports.map(port => (port.external === 0 ? { ...port, external: externals.get(port.internal) ?? 0 } : port))
    if (seen.state === 'runs' || instance.fate === 'update') return { ...instance, ports }
    return { ...instance, ports, fate: 'start', reason: seen.state === 'failed' ? 'it has failed' : 'it does not run' }
  })
  return withLinks({ ...plan, instances }, observed)
}

/** An instance that would be kept gets its links anew when its host has others: the file may have lost some. */
function withLinks(plan: DeploymentPlan, observed: Observed): DeploymentPlan {
  const externals = new Map(
    plan.instances.flatMap(({ id, host, ports }) =>
      ports.map(({ internal, external }) => [`${hostKey(host)} ${id} ${internal}`, external] as const),
    ),
  )
  const find: FindTarget = ({ id, host, internal }) => ({
    toHost: hostNameOf(host),
    toPort: externals.get(`${hostKey(host)} ${id} ${internal}`) ?? 0,
  })
  const wanted = new Map(plan.containers.map(({ name }) => [name, networkLinksOf(plan, name, find)]))
  const instances = plan.instances.map((instance): PlannedInstance => {
    const found = observed.get(hostKey(instance.host))?.get(instance.id)?.links
    if (found === undefined || instance.fate !== 'keep') return instance
    const reason = linkChange(found, wanted.get(instance.group) ?? [])
    if (reason !== undefined) return { ...instance, fate: 'relink', reason }
    if (found.every(({ state }) => state === 'applied')) return { ...instance, isLinked: true }
    return { ...instance, reason: 'nothing has changed, but not all of its links are in effect' }
  })
  return { ...plan, instances }
}

/** The first difference, in words. */
function linkChange(found: readonly NetworkLink[], wanted: readonly NetworkLink[]): string | undefined {
  const there = new Set(found.map(linkText))
  const meant = new Set(wanted.map(linkText))
  const lost = found.find(link => !meant.has(linkText(link)))
  if (lost !== undefined) return `its link ${placeText(lost)} goes`
  const missing = wanted.find(link => !there.has(linkText(link)))
  return missing === undefined ? undefined : `its link ${placeText(missing)} is not on the host`
}

function linkText(link: NetworkLink): string {
  return `${placeText(link)} ${link.toHost}:${link.toPort}`
}

function placeText({ fromHost, fromPort }: NetworkLink): string {
  return `${fromHost === '' ? '127.0.0.1' : fromHost}:${fromPort}`
}
