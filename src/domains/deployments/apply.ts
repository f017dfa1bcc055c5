/**
 * Carries a plan out, host by host (spec §10.4): installs what is new, links and starts it, waits until it runs, updates what has changed one by
 * one, leads the links of what stays to the new instances, and only then deletes what is to go. So what breaks off in the middle, or fails, leaves
 * the old instances serving. What became of each instance is kept, for the file that is written and for the report.
 */
import { asGearError, GearError, limits } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import {
  describePortPairs,
  hostNameOf,
  type LocatorHost,
  type NetworkLink,
  type PortPair,
  parsePortPairs,
  printHost,
} from '../../formats/index.ts'
import { mapBounded } from '../../lib/index.ts'
import { awaitState } from './await-state.ts'
import type { Described, DescribedInstance } from './file.ts'
import { type Hosts, isUnanswered } from './hosts.ts'
import { hostKey, type Removed } from './members.ts'
import { type DeploymentPlan, networkLinksOf, type PlannedInstance, type PlannedLink } from './plan.ts'
import { type InstanceProgress, type StepKind, type StepProgress, stepsOf } from './steps.ts'

export interface ApplyOptions {
  readonly hosts: Hosts
  /** How long new instances have to come up, all together. */
  readonly waitMs: number
  /** One line for the user, when something was done. */
  readonly say: (line: string) => Promise<void>
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Writes down what there is by now. */
  readonly save: (described: Described) => Promise<void>
}

/** What became of one instance, or of one that was to go. */
export interface Outcome extends InstanceProgress {
  /** Why not all its steps are done, where it was not the user who broke off. */
  readonly error: GearError | undefined
}

/** Deletes wait for systemd, which has its own limits. */
const deleteMs = limits.unitJobMs + limits.busCallMs

/** An instance on its way. */
interface Member {
  readonly plan: PlannedInstance
  readonly steps: readonly StepProgress[]
  readonly ports: Map<number, number>
  isInstalled: boolean
  /** It is as the plan wants it, as far as this deploy could see. */
  isUp: boolean
  error: GearError | undefined
  /** The links that its host was last sent, as text. */
  sentLinks: string | undefined
}

interface Leaving {
  readonly removed: Removed
  readonly steps: readonly StepProgress[]
  isGone: boolean
  error: GearError | undefined
}

export class Deploy {
  /** In the order in which they are told. */
  readonly steps: readonly StepProgress[]
  readonly #plan: DeploymentPlan
  readonly #options: ApplyOptions
  readonly #members: readonly Member[]
  readonly #leaving: readonly Leaving[]
  readonly #byKey: ReadonlyMap<string, Member>

  constructor(plan: DeploymentPlan, options: ApplyOptions) {
    this.#plan = plan
    this.#options = options
    this.steps = stepsOf(plan, options).map(step => ({ step, state: 'notBegun' }))
    const byInstance = Map.groupBy(this.steps, ({ step }) => step.of)
    this.#members = plan.instances.map(instance => ({
      plan: instance,
      steps: byInstance.get(instance) ?? [],
      ports: new Map(instance.ports.map(({ internal, external }) => [internal, external])),
      isInstalled: !isNew(instance),
      isUp: instance.fate === 'keep' || instance.fate === 'relink',
      error: undefined,
      sentLinks: undefined,
    }))
    this.#leaving = plan.removed.map(removed => ({ removed, steps: byInstance.get(removed) ?? [], isGone: false, error: undefined }))
    this.#byKey = new Map(this.#members.map(member => [memberKey(member.plan), member]))
    for (const member of this.#members) {
      if (!member.plan.isLinked) continue
      member.sentLinks = JSON.stringify(this.#linksOf(member))
      for (const progress of member.steps) progress.state = 'done'
    }
  }

  /** Never throws for what a host does. Ends early, between two calls, when the signal of the hosts aborts. */
  async run(): Promise<void> {
    const { hosts } = this.#options
    await this.#save()
    const phases = [
      () => this.#deleteAll(this.#leaving.filter(({ removed }) => removed.isFirst)),
      () => this.#installNew(),
      () => this.#sayLinks(),
      () => this.#sendLinks(this.#due('link'), 'link'),
      () => this.#startAll(),
      () => this.#awaitAll(),
      () => this.#updateAll(),
      () => this.#settleLinks(),
      () => this.#deleteAll(this.#leaving.filter(leaving => !leaving.removed.isFirst && this.#mayGo(leaving))),
    ]
    for (const phase of phases) {
      if (hosts.signal.aborted) break
      await phase()
    }
    await this.#save()
  }

  get outcomes(): readonly Outcome[] {
    const staying = this.#members.map(({ plan, steps, error }): Outcome => ({ ...plan, change: plan.fate, steps, error }))
    const going = this.#leaving.map(({ removed, steps, error }): Outcome => ({ ...removed, change: 'delete', steps, error }))
    return [...staying, ...going]
  }

  /** Those that have a step of this kind, and nothing against it. */
  #due(kind: StepKind): readonly Member[] {
    return this.#members.filter(member => member.isInstalled && member.error === undefined && stepOf(member, kind) !== undefined)
  }

  /** Keeps for a step, where the plan has it, how its work ended; the work says when some of it is done. */
  async #carryOut(member: Member, kind: StepKind, work: (isBegun: () => void) => Promise<void>): Promise<void> {
    const progress = stepOf(member, kind)
    return this.#keeping(progress === undefined ? [] : [progress], member.plan.host, work)
  }

  async #keeping<Result>(all: readonly StepProgress[], host: LocatorHost, work: (isBegun: () => void) => Promise<Result>): Promise<Result> {
    let isBegun = false
    const note = (state: StepProgress['state']) => {
      for (const progress of all) progress.state = state
    }
    const isLost = this.#options.hosts.lossOf(host) !== undefined
    if (!isLost) note('unknown')
    try {
      const result = await work(() => {
        isBegun = true
      })
      note('done')
      return result
    } catch (error) {
      if (!isLost && !this.#isCalledOff(error)) note(stateAfter(error, isBegun))
      throw error
    }
  }

  /** The user broke off, or somebody else has the lease now: no failure of an instance. */
  #isCalledOff(error: unknown): boolean {
    const { signal } = this.#options.hosts
    return signal.aborted && error === signal.reason
  }

  /** The links that instances of a container have, as they are now. */
  linksOf(group: string): readonly NetworkLink[] {
    return networkLinksOf(this.#plan, group, to => this.#find(to))
  }

  async #installNew(): Promise<void> {
    await this.#each(
      this.#members.filter(({ plan }) => isNew(plan)),
      async member => {
        await this.#carryOut(member, member.plan.fate, () => this.#install(member))
        const ports = [...member.ports].map(([internal, external]) => ({ internal, external }))
        await this.#sayOf(member, ports.length === 0 ? 'installed' : `installed, ${describePortPairs(ports)}`)
      },
    )
    await this.#save()
  }

  async #install(member: Member): Promise<void> {
    const { plan } = member
    const { id, image, environment, isIsolated } = plan
    const links = this.#linksOf(member)
    const answer = await this.#options.hosts.call(
      plan.host,
      request('installContainer', {
        params: { id },
        body: {
          image,
          isolate: isIsolated,
          ports: [...member.ports].map(([internal, external]) => ({ internal, external })),
          environment: { id, variables: environment },
          networkLinks: links,
          started: false,
        },
      }),
    )
    for (const { internal, external } of await readPorts(answer)) member.ports.set(internal, external)
    member.isInstalled = true
    member.sentLinks = JSON.stringify(links)
  }

  async #sayLinks(): Promise<void> {
    for (const { name } of this.#plan.containers) {
      if (!this.#members.some(({ plan, isInstalled }) => plan.group === name && isInstalled)) continue
      for (const { fromHost, fromPort, toHost, toPort } of this.linksOf(name)) {
        await this.#options.say(`==> Linking ${name}: ${fromHost}:${fromPort} -> ${toHost}:${toPort === 0 ? '?' : toPort}`)
      }
    }
  }

  /** All links as they are to stay, now that it is seen what runs. */
  async #settleLinks(): Promise<void> {
    const installed = this.#members.filter(({ isInstalled }) => isInstalled)
    await this.#sendLinks(installed, 'relink', 'keep')
  }

  /** Sends instances their links, all of a host together, unless it has them already: a step of theirs, where one of these kinds is planned. */
  async #sendLinks(members: readonly Member[], ...kinds: readonly StepKind[]): Promise<void> {
    const byGroup = new Map(this.#plan.containers.map(({ name }) => [name, this.linksOf(name)]))
    const texts = new Map([...byGroup].map(([name, links]) => [name, JSON.stringify(links)]))
    const stepsOfLinks = (member: Member) => kinds.flatMap(kind => stepOf(member, kind) ?? [])
    const changed = members.flatMap((member): readonly Sending[] => {
      const text = texts.get(member.plan.group) ?? ''
      if (text !== member.sentLinks) return [{ member, networkLinks: byGroup.get(member.plan.group) ?? [], text }]
      for (const progress of stepsOfLinks(member)) progress.state = 'done'
      return []
    })
    const groups = [...Map.groupBy(changed, ({ member }) => hostKey(member.plan.host)).values()]
    const batches = groups.flatMap(batchesOf)
    await this.#options.hosts.each(
      batches,
      batch => (batch[0] as Sending).member.plan.host,
      async batch => {
        const { host } = (batch[0] as Sending).member.plan
        const links = batch.map(({ member, networkLinks }) => ({ id: member.plan.id, networkLinks }))
        const steps = batch.flatMap(({ member }) => stepsOfLinks(member))
        try {
          await this.#keeping(steps, host, () => this.#options.hosts.call(host, request('linkContainers', { body: { links } })))
          for (const { member, text } of batch) member.sentLinks = text
        } catch (error) {
          for (const { member } of batch) fail(member, error)
        }
      },
    )
  }

  async #startAll(): Promise<void> {
    await this.#each(this.#due('start'), member => this.#carryOut(member, 'start', () => this.#start(member)))
  }

  async #start({ plan }: Member): Promise<void> {
    await readPorts(await this.#options.hosts.call(plan.host, request('startContainer', { params: { id: plan.id } })))
  }

  /** Waits for all at the same time, so the whole takes as long as the slowest. */
  async #awaitAll(): Promise<void> {
    const starting = this.#due('start')
    const deadline = AbortSignal.timeout(this.#options.waitMs)
    await mapBounded(starting, limits.hostsAtOnce, member => this.#guarded(member, () => this.#awaitStart(member, deadline)))
  }

  async #awaitStart(member: Member, deadline: AbortSignal): Promise<void> {
    await this.#carryOut(member, 'wait', () => this.#awaitRunning(member, deadline))
  }

  async #awaitRunning(member: Member, deadline: AbortSignal): Promise<void> {
    const { hosts, waitMs } = this.#options
    try {
      await this.#awaitState(member, 'started', deadline)
      member.isUp = true
      await this.#sayOf(member, 'runs')
    } catch (error) {
      if (hosts.signal.aborted) throw hosts.signal.reason
      const { id, host } = member.plan
      if (deadline.aborted) throw new GearError('WAIT_TIMEOUT', `${id} on ${printHost(host)} has not started within ${waitMs / 1000} s`)
      // An original agent has no way to wait; that the start was queued is all there is to know.
      if (!(error instanceof GearError) || (error.code !== 'ROUTE_UNKNOWN' && error.code !== 'METHOD_NOT_ALLOWED')) throw error
      member.isUp = true
      await this.#sayOf(member, 'started; its agent cannot tell whether it runs')
    }
  }

  #awaitState({ plan: { id, host } }: Member, state: 'started' | 'stopped', deadline: AbortSignal): Promise<void> {
    return awaitState({ id, host, state, deadline }, this.#options)
  }

  /** Instances of one container one after the other, so that the others serve meanwhile; after a failure the rest stays as it was. */
  async #updateAll(): Promise<void> {
    const groups = Map.groupBy(
      this.#members.filter(({ plan }) => plan.fate === 'update'),
      ({ plan }) => plan.group,
    )
    await mapBounded([...groups.values()], limits.hostsAtOnce, async members => {
      for (const member of members) {
        if (this.#options.hosts.signal.aborted) return
        const other = members.find(({ error }) => error !== undefined && error.code !== 'HOST_UNREACHABLE')
        if (other !== undefined) {
          member.error = new GearError(
            'UPDATE_HELD_BACK',
            `${member.plan.id} stays as it was, because the update of ${other.plan.id} failed`,
          )
          continue
        }
        await this.#guarded(member, () => this.#update(member))
      }
    })
    await this.#save()
  }

  async #update(member: Member): Promise<void> {
    const { hosts, waitMs } = this.#options
    const { id, host, environment, before } = member.plan
    await this.#carryOut(member, 'update', async isBegun => {
      await this.#install(member)
      isBegun()
      // An install without variables takes what is stored.
      if (environment.length === 0 && (before?.environment.length ?? 0) > 0) {
        await hosts.call(host, request('putEnvironment', { params: { id }, body: { variables: [] } }))
      }
    })
    const deadline = AbortSignal.timeout(waitMs)
    await this.#carryOut(member, 'restart', async isBegun => {
      try {
        await readPorts(await hosts.call(host, request('restartContainer', { params: { id } })))
      } catch (error) {
        if (!(error instanceof GearError) || error.code !== 'CONTAINER_CHANGING') throw error
        // It is just being started, with the unit from before: perhaps for the tenth time, or pulling for half an hour.
        await readPorts(await hosts.call(host, request('stopContainer', { params: { id } })))
        isBegun()
        await this.#awaitState(member, 'stopped', deadline)
        await this.#start(member)
      }
    })
    await this.#awaitStart(member, deadline)
  }

  /** Whether nothing is lost when it goes: its successor runs, or nothing of its container has failed. */
  #mayGo(leaving: Leaving): boolean {
    const { id, group, movedTo } = leaving.removed
    const successors = this.#members.filter(({ plan }) =>
      movedTo !== undefined ? plan.id === id && plan.group === group : group === '' || plan.group === group,
    )
    const failed = successors.find(({ isUp }) => !isUp)
    if (failed === undefined) return true
    leaving.error = new GearError(
      'REMOVAL_HELD_BACK',
      `${id} on ${printHost(leaving.removed.host)} stays and serves, because ${failed.plan.id} does not run`,
    )
    return false
  }

  async #deleteAll(leaving: readonly Leaving[]): Promise<void> {
    await this.#options.hosts.each(
      leaving,
      ({ removed }) => removed.host,
      async item => {
        const { id, host } = item.removed
        try {
          await this.#keeping(item.steps, host, async () =>
            readPorts(await this.#options.hosts.call(host, request('deleteContainer', { params: { id } }), { limitMs: deleteMs })),
          )
          item.isGone = true
          await this.#options.say(`${id} on ${printHost(host)}: deleted`)
        } catch (error) {
          item.error = asGearError(error)
        }
      },
    )
  }

  #linksOf({ plan }: Member): readonly NetworkLink[] {
    return this.linksOf(plan.group)
  }

  /** Where a target is: one that has moved but does not run yet is still served from its old place. */
  #find(to: PlannedLink['to']): { readonly toHost: string; readonly toPort: number } {
    const member = this.#byKey.get(memberKey(to))
    const old =
      member?.error === undefined ? undefined : this.#leaving.find(({ removed }) => removed.id === to.id && removed.movedTo !== undefined)
    const oldPort = old?.isGone === false ? old.removed.ports.find(({ internal }) => internal === to.internal)?.external : undefined
    if (old !== undefined && oldPort !== undefined && oldPort !== 0) return { toHost: hostNameOf(old.removed.host), toPort: oldPort }
    return { toHost: hostNameOf(to.host), toPort: member?.ports.get(to.internal) ?? 0 }
  }

  #each(members: readonly Member[], work: (member: Member) => Promise<void>): Promise<void> {
    return this.#options.hosts.each(
      members,
      ({ plan }) => plan.host,
      member => this.#guarded(member, () => work(member)),
    )
  }

  async #guarded(member: Member, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#isCalledOff(error)) fail(member, error)
    }
  }

  #sayOf({ plan }: Member, what: string): Promise<void> {
    return this.#options.say(`${plan.id} on ${printHost(plan.host)}: ${what}`)
  }

  #save(): Promise<void> {
    const { containers, idPrefix, randomizeIds } = this.#plan
    const staying = this.#members.map(describe)
    const leftOver = this.#leaving.filter(({ isGone }) => !isGone).map(({ removed }) => ({ ...removed, group: '' }))
    return this.#options.save({ containers, idPrefix, randomizeIds, instances: [...staying, ...leftOver] })
  }
}

/** An instance as it is written down. An update that failed or was not come to is still to be done, so the file says what was before. */
function describe({ plan, ports, isUp }: Member): DescribedInstance {
  const { id, group, host, before } = plan
  const isAsBefore = plan.fate === 'update' && !isUp && before !== undefined
  return {
    id,
    group,
    host,
    image: isAsBefore ? before.image : plan.image,
    environment: isAsBefore ? before.environment : plan.environment,
    isIsolated: isAsBefore ? before.isolate : plan.isIsolated,
    ports: plan.ports.map(({ internal, target }) => ({ internal, external: ports.get(internal) ?? 0, target })),
  }
}

function isNew({ fate }: PlannedInstance): boolean {
  return fate === 'install' || fate === 'move'
}

function stepOf({ steps }: Pick<Member, 'steps'>, kind: StepKind): StepProgress | undefined {
  return steps.find(({ step }) => step.kind === kind)
}

/** A start that takes too long goes on. */
function stateAfter(error: unknown, isBegun: boolean): StepProgress['state'] {
  if (isUnanswered(error) || (error instanceof GearError && error.code === 'WAIT_TIMEOUT')) return 'unknown'
  if (!(error instanceof GearError) || error.code !== 'HOST_UNREACHABLE') return 'failed'
  return isBegun ? 'unknown' : 'notBegun'
}

function fail(member: Member, error: unknown): void {
  member.error ??= asGearError(error)
  member.isUp = false
}

function memberKey({ id, host }: { readonly id: string; readonly host: LocatorHost }): string {
  return `${hostKey(host)} ${id}`
}

interface Sending {
  readonly member: Member
  readonly networkLinks: readonly NetworkLink[]
  readonly text: string
}

/** As many instances in one call as a body may hold. */
function batchesOf(all: readonly Sending[]): readonly (readonly Sending[])[] {
  const batches: Sending[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const sending of all) {
    const ownBytes = Buffer.byteLength(sending.text) + idBytes
    if (sizeBytes + ownBytes > limits.bodyBytes - idBytes) {
      batches.push([])
      sizeBytes = 0
    }
    sizeBytes += ownBytes
    batches.at(-1)?.push(sending)
  }
  return batches
}

/** An id and the JSON around it. */
const idBytes = 100

/** Reads an answer to its end, which is when the work is done; the ports that were reserved, if it tells any. */
async function readPorts({
  text,
  sideData,
}: {
  readonly text: AsyncIterable<string>
  readonly sideData: Readonly<Record<string, string>>
}): Promise<readonly PortPair[]> {
  for await (const _ of text) {
    // What the agent says of a single step is told in the deploy's own words.
  }
  return parsePortPairs(sideData['PortMapping'] ?? '')
}
