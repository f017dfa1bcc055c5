/** What hosts have of a deployment before it is deployed again. Only hosts that were deployed to are asked. */
import { GearError } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import type { LocatorHost } from '../../formats/index.ts'
import { mapBounded } from '../../lib/index.ts'
import type { Hosts } from './hosts.ts'
import { hostKey } from './members.ts'
import type { DeploymentPlan, Observed, ObservedInstance, PlannedInstance } from './plan.ts'

/** A host that does not answer is left out, and marked as lost. */
export async function lookAtHosts(hosts: Hosts, plan: DeploymentPlan): Promise<Observed> {
  const observed = new Map<string, ReadonlyMap<string, ObservedInstance>>()
  const groups = Map.groupBy(
    plan.instances.filter(({ before }) => before !== undefined),
    ({ host }) => hostKey(host),
  )
  const looks = [...groups.values()].flatMap(instances => instances.slice(0, 1).map(({ host }) => ({ host, instances })))
  await hosts.each(
    looks,
    ({ host }) => host,
    async ({ host, instances }) => {
      try {
        observed.set(hostKey(host), await lookAt(hosts, host, instances))
      } catch (error) {
        if (!(error instanceof GearError)) throw error
        hosts.lose(host, error)
      }
    },
  )
  return observed
}

async function lookAt(
  hosts: Hosts,
  host: LocatorHost,
  instances: readonly PlannedInstance[],
): Promise<ReadonlyMap<string, ObservedInstance>> {
  const { containers } = await hosts.call(host, request('listContainers', { query: { all: true } }))
  const listed = new Map(containers.map(container => [container.id, container]))
  const found = new Map<string, ObservedInstance>()
  await mapBounded(instances, looksAtOnce, async ({ id, ports, fate }) => {
    const container = listed.get(id)
    if (container === undefined) return
    const state = stateOf(container)
    // A deploy that broke off may not have come to write down which ports it was given.
    const isKnown = ports.every(({ external }) => external !== 0)
    found.set(id, {
      state,
      ...(isKnown ? {} : { ports: (await hosts.call(host, request('containerPorts', { params: { id } }))).ports }),
      // Those of the others are sent in any case.
      ...(fate === 'keep' && state === 'runs' ? await linksOf(hosts, host, id) : {}),
    })
  })
  return found
}

const looksAtOnce = 8

/** An original agent cannot be asked for them. */
async function linksOf(hosts: Hosts, host: LocatorHost, id: PlannedInstance['id']): Promise<Pick<ObservedInstance, 'links'>> {
  try {
    return { links: (await hosts.call(host, request('listLinks', { params: { id } }))).links }
  } catch (error) {
    if (error instanceof GearError && (error.code === 'ROUTE_UNKNOWN' || error.code === 'METHOD_NOT_ALLOWED')) return {}
    throw error
  }
}

function stateOf({ activeState, subState }: { readonly activeState: string; readonly subState: string }): ObservedInstance['state'] {
  if (activeState === 'failed' || subState === 'auto-restart') return 'failed'
  return activeState === 'inactive' || activeState === 'deactivating' ? 'stopped' : 'runs'
}
