/**
 * Which instances a deployment will have: those of the last deploy that stay, those that go, and new ones with their ids and hosts (spec §10.3,
 * steps 1 to 5). Pure.
 */
import type { Deployment } from '../../api/deployment-file.ts'
import { type ContainerId, idRule, isId, limits } from '../../api/index.ts'
import { defaultAgentPort, type LocatorHost, type PortPair, printHost } from '../../formats/index.ts'
import { placeInvalid } from './file.ts'

export type Group = Deployment['containers'][number]
type Variable = Group['environment'][number]

/** A port of an instance while it is planned. */
export interface DraftPort {
  readonly internal: number
  /** 0 while the host has not chosen one. */
  readonly external: number
  /** The local address by which others reach the port. */
  target: { readonly host: string; readonly port: number } | undefined
  /** The address comes from the file and no link of this plan relies on it yet. */
  isStored: boolean
}

export interface Draft {
  readonly id: ContainerId
  readonly group: string
  readonly host: LocatorHost
  /** As the container of the file has them now. */
  readonly image: Group['image']
  readonly environment: readonly Variable[]
  readonly ports: readonly DraftPort[]
  readonly isIsolated: boolean
  readonly isNew: boolean
  /** What differs from the last deploy, in words. */
  readonly changes: readonly string[]
  /** Where an instance of this id was that could not stay. */
  readonly movedFrom: LocatorHost | undefined
  /** How the last deploy left it here, where it did. */
  readonly before: Deployment['instances'][number] | undefined
}

export interface Removed {
  readonly id: ContainerId
  /** Empty when the file has no such container any more. */
  readonly group: string
  readonly host: LocatorHost
  readonly image: Group['image']
  readonly ports: Deployment['instances'][number]['ports']
  readonly environment: readonly Variable[]
  readonly isIsolated: boolean
  readonly reason: string
  /** Its new place. */
  readonly movedTo?: LocatorHost
  /** A new instance needs a port of the host that this one holds, so it has to go first. */
  readonly isFirst: boolean
}

export interface Members {
  /** In the order of the containers, kept ones before new ones. */
  readonly drafts: readonly Draft[]
  readonly removed: readonly Removed[]
}

/** Hosts are the same when their agents are: `node7` is `node7:43273`. */
export function hostKey(host: LocatorHost): string {
  return host.kind === 'local' ? 'local' : `${host.name.toLowerCase()}:${host.port ?? defaultAgentPort}`
}

interface Stored {
  readonly instance: Deployment['instances'][number]
  readonly host: LocatorHost
}

export interface MembersInput {
  readonly deployment: Deployment
  readonly hosts: readonly LocatorHost[]
  /** Random text of `A-Za-z0-9_-`, for ids. */
  readonly drawText: () => string
}

export function planMembers({ deployment, hosts, drawText }: MembersInput): Members {
  requireNames(deployment.containers)
  requireCounts(deployment.containers)
  const places = [...Map.groupBy(hosts, hostKey).values()].flatMap(same => same.slice(0, 1))
  const { kept, removed } = sortStored(deployment, places)
  const ids = new Ids(deployment, kept, removed, places, drawText)
  const placement = new Placement(places)
  const drafts = deployment.containers.map((group, index) => {
    const all = kept.get(group.name) ?? []
    const staying = all.slice(0, group.count)
    for (const { instance, host } of all.slice(group.count)) {
      removed.push(removedOf({ instance, host }, group.name, `Count of ${group.name} is ${group.count}`))
    }
    return { group, index, staying: staying.map(stored => draftOfStored(stored, group)), fresh: [] as Draft[] }
  })
  for (const { index, staying } of drafts) for (const draft of staying) placement.occupy(draft, index)
  for (const { group, index, staying, fresh } of drafts) {
    for (let missing = group.count - staying.length; missing > 0 && places.length > 0; missing--) {
      const id = ids.next(group, index)
      const host = placement.choose(group, index, id)
      fresh.push(freshDraft(id, group, host, removed))
    }
  }
  const all = drafts.flatMap(({ staying, fresh }) => [...staying, ...fresh])
  return { drafts: all, removed: withMoves(removed, all) }
}

function requireNames(containers: readonly Group[]): void {
  const seen = new Map<string, number>()
  for (const [index, { name }] of containers.entries()) {
    const first = seen.get(name)
    if (first !== undefined) throw placeInvalid(`Containers[${index}].Name`, `is ${name}, as that of Containers[${first}] is already`)
    seen.set(name, index)
  }
}

function requireCounts(containers: readonly Group[]): void {
  let total = 0
  for (const [index, { count }] of containers.entries()) {
    total += count
    if (total > limits.deploymentInstancesMax) {
      throw placeInvalid(
        `Containers[${index}].Count`,
        `makes more than ${limits.deploymentInstancesMax} instances together with those before`,
      )
    }
  }
}

/** The instances of the last deploy by container; those whose host or container is not there any more are to go. */
function sortStored({ containers, instances }: Deployment, places: readonly LocatorHost[]) {
  const groups = new Map(containers.map(group => [group.name, [] as Stored[]]))
  const isPlace = new Set(places.map(hostKey))
  const seen = new Set<string>()
  const removed: Removed[] = []
  for (const [index, instance] of instances.entries()) {
    const host = instance.on
    if (host === undefined) continue
    const identity = `${hostKey(host)} ${instance.id}`
    if (seen.has(identity)) throw placeInvalid(`Instances[${index}].Id`, `${instance.id} on ${printHost(host)} is there twice`)
    seen.add(identity)
    const group = groups.get(instance.from)
    if (group === undefined) removed.push(removedOf({ instance, host }, '', whyNoGroup(instance.from)))
    else if (!isPlace.has(hostKey(host)))
      removed.push(removedOf({ instance, host }, instance.from, `${printHost(host)} is not among the hosts`))
    else group.push({ instance, host })
  }
  return { kept: groups, removed }
}

function whyNoGroup(from: string): string {
  return from === '' ? 'an earlier deploy could not remove it' : `there is no container ${from} any more`
}

function removedOf({ instance, host }: Stored, group: string, reason: string): Removed {
  const { id, image, ports, environment, isolate } = instance
  return { id, group, host, image, ports, environment, isIsolated: isolate, reason, isFirst: false }
}

function draftOfStored({ instance, host }: Stored, group: Group): Draft {
  const ports = draftPorts(group, instance.ports).map((port): DraftPort => {
    const before = instance.ports.find(({ internal }) => internal === port.internal)
    return { ...port, external: port.external || (before?.external ?? 0) }
  })
  return {
    id: instance.id,
    group: group.name,
    host,
    image: group.image,
    environment: group.environment,
    ports,
    isIsolated: group.isolate,
    isNew: false,
    changes: changesOf(instance, group),
    movedFrom: undefined,
    before: instance,
  }
}

/** The ports of the container, at the addresses that the file has for them. */
function draftPorts({ publicPorts }: Group, before: Removed['ports']): readonly DraftPort[] {
  return publicPorts.map(({ internal, external }) => {
    const stored = before.find(port => port.internal === internal)?.target
    const target = stored === undefined || stored.host === '' || stored.port === 0 ? undefined : stored
    return { internal, external, target, isStored: target !== undefined }
  })
}

function changesOf(instance: Stored['instance'], group: Group): readonly string[] {
  const changes: string[] = []
  if (instance.image !== group.image) changes.push(`image ${instance.image} → ${group.image}`)
  if (textOf(instance.environment) !== textOf(group.environment)) changes.push('environment')
  if (instance.isolate !== group.isolate) changes.push(group.isolate ? 'isolated' : 'not isolated any more')
  const before = new Map(instance.ports.map(({ internal, external }) => [internal, external]))
  for (const { internal, external } of group.publicPorts) {
    const old = before.get(internal)
    if (old === undefined) changes.push(`port ${internal} added`)
    else if (external !== 0 && old !== external) changes.push(`port ${internal} → ${external}`)
    before.delete(internal)
  }
  for (const internal of before.keys()) changes.push(`port ${internal} dropped`)
  return changes
}

function textOf(variables: readonly Variable[]): string {
  return JSON.stringify(variables.map(({ name, value }) => [name, value]))
}

/** A new instance. One that takes the place of another of its id gets the addresses under which that was known. */
function freshDraft(id: ContainerId, group: Group, host: LocatorHost, removed: readonly Removed[]): Draft {
  const before = removed.find(other => other.id === id && other.group === group.name && hostKey(other.host) !== hostKey(host))
  return {
    id,
    group: group.name,
    host,
    image: group.image,
    environment: group.environment,
    ports: draftPorts(group, before?.ports ?? []),
    isIsolated: group.isolate,
    isNew: true,
    changes: [],
    movedFrom: before?.host,
    before: undefined,
  }
}

function withMoves(removed: readonly Removed[], drafts: readonly Draft[]): readonly Removed[] {
  const moved = new Map(
    drafts.flatMap(draft => (draft.movedFrom === undefined ? [] : [[`${hostKey(draft.movedFrom)} ${draft.id}`, draft.host]])),
  )
  const wantedPorts = new Set(drafts.flatMap(({ host, ports }) => ports.map(({ external }) => `${hostKey(host)} ${external}`)))
  return removed.map(item => {
    const movedTo = moved.get(`${hostKey(item.host)} ${item.id}`)
    const isFirst = item.ports.some(({ external }) => external !== 0 && wantedPorts.has(`${hostKey(item.host)} ${external}`))
    return { ...item, isFirst, ...(movedTo === undefined ? {} : { movedTo }) }
  })
}

/** Draws ids: the lowest free number of a container, or random ones. */
class Ids {
  readonly #deployment: Deployment
  readonly #drawText: () => string
  readonly #taken: Set<string>
  readonly #numbers = new Map<string, number>()

  constructor(
    deployment: Deployment,
    kept: ReadonlyMap<string, readonly Stored[]>,
    removed: readonly Removed[],
    places: readonly LocatorHost[],
    drawText: () => string,
  ) {
    this.#deployment = deployment
    this.#drawText = drawText
    const isPlace = new Set(places.map(hostKey))
    this.#taken = new Set([
      ...[...kept.values()].flat().map(({ instance }) => instance.id),
      // What goes from a host that stays is there until the new ones run.
      ...removed.filter(({ host }) => isPlace.has(hostKey(host))).map(({ id }) => id),
    ])
  }

  next(group: Group, index: number): ContainerId {
    const id = this.#deployment.randomizeIds ? this.#random() : this.#numbered(group, index)
    this.#taken.add(id)
    return id
  }

  #numbered({ name }: Group, index: number): ContainerId {
    const stem = `${this.#deployment.idPrefix}${name}-`
    for (let number = this.#numbers.get(stem) ?? 1; ; number++) {
      const id = stem + number
      if (!isId(id)) throw placeInvalid(`Containers[${index}].Name`, `gives the id ${id}, but an id ${idRule}`)
      if (this.#taken.has(id)) continue
      this.#numbers.set(stem, number + 1)
      return id
    }
  }

  #random(): ContainerId {
    const prefix = this.#deployment.idPrefix
    if (prefix.length > randomPrefixMax)
      throw placeInvalid('IdPrefix', `must have at most ${randomPrefixMax} characters when ids are random`)
    for (;;) {
      const id = (prefix + this.#drawText()).slice(0, idCharactersMax)
      if (isId(id) && !this.#taken.has(id)) return id
    }
  }
}

const idCharactersMax = 24
/** Eight random characters are left, which are 48 bits. */
const randomPrefixMax = 16

/** Chooses hosts. Fixed ports of the host are what can keep an instance from one. */
class Placement {
  readonly #hosts: readonly LocatorHost[]
  readonly #ports = new Map<string, Map<number, string>>()
  readonly #total = new Map<string, number>()
  readonly #ofGroup = new Map<string, number>()
  #turn = 0

  constructor(hosts: readonly LocatorHost[]) {
    this.#hosts = hosts
  }

  /** Notes an instance that has its host already. */
  occupy({ id, group, host, ports }: Draft, index: number): void {
    const key = hostKey(host)
    for (const { internal, external } of ports) {
      const other = external === 0 ? undefined : this.#portsOf(key).get(external)
      if (other !== undefined) {
        throw placeInvalid(
          placeOfPort(index, internal, ports),
          `gives ${id} the port ${external} of ${printHost(host)}, which ${other} has`,
        )
      }
    }
    this.#note(key, group, id, ports)
  }

  choose(group: Group, index: number, id: string): LocatorHost {
    const order = this.#orderFor(group)
    const host = order.find(candidate =>
      group.publicPorts.every(({ external }) => external === 0 || !this.#portsOf(hostKey(candidate)).has(external)),
    )
    if (host === undefined) {
      const at = group.publicPorts.findIndex(({ external }) => external !== 0)
      const rule =
        group.affinity === 'pack'
          ? `can be had once on a host, and with Affinity pack all of ${group.name} share one`
          : `can be had once on a host, and no host is left that has it free for ${id}`
      throw placeInvalid(`Containers[${index}].PublicPorts[${at}].External`, rule)
    }
    this.#note(hostKey(host), group.name, id, group.publicPorts)
    return host
  }

  /** The hosts, the one first that is to be taken if it can. */
  #orderFor({ name, affinity }: Group): readonly LocatorHost[] {
    if (affinity === '') {
      const at = this.#turn++ % this.#hosts.length
      return [...this.#hosts.slice(at), ...this.#hosts.slice(0, at)]
    }
    const count = (host: LocatorHost) => this.#ofGroup.get(`${hostKey(host)} ${name}`) ?? 0
    const total = (host: LocatorHost) => this.#total.get(hostKey(host)) ?? 0
    const sign = affinity === 'pack' ? -1 : 1
    const order = this.#hosts.toSorted((a, b) => sign * (count(a) - count(b)) || total(a) - total(b))
    return affinity === 'pack' ? order.slice(0, 1) : order
  }

  #note(key: string, group: string, id: string, ports: readonly PortPair[]): void {
    for (const { external } of ports) if (external !== 0) this.#portsOf(key).set(external, id)
    this.#total.set(key, (this.#total.get(key) ?? 0) + 1)
    this.#ofGroup.set(`${key} ${group}`, (this.#ofGroup.get(`${key} ${group}`) ?? 0) + 1)
  }

  #portsOf(key: string): Map<number, string> {
    const ports = this.#ports.get(key) ?? new Map<number, string>()
    this.#ports.set(key, ports)
    return ports
  }
}

function placeOfPort(index: number, internal: number, ports: readonly DraftPort[]): string {
  return `Containers[${index}].PublicPorts[${ports.findIndex(port => port.internal === internal)}].External`
}
