/** A deployment as people see it: which instances there are, where, and what each container sees of the others. Pure. */
import { hostNameOf, printHost } from '../../formats/index.ts'
import { hostKey } from './members.ts'
import type { DeploymentPlan, PlannedInstance, PlannedLink, PlannedPort } from './plan.ts'

export interface Topology {
  readonly name: string
  readonly containers: readonly {
    readonly name: string
    readonly image: string
    readonly count: number
    readonly instances: readonly {
      readonly id: string
      readonly host: string
      /** False for one that the next deploy is to make. */
      readonly isDeployed: boolean
      readonly ports: readonly PlannedPort[]
    }[]
    /** What every instance sees, and where it leads. */
    readonly links: readonly { readonly from: string; readonly to: string; readonly id: string; readonly port: number }[]
    /** Links of the file, for containers that have no instances. */
    readonly targets: readonly { readonly to: string; readonly ports: readonly number[] }[]
  }[]
}

/** The topology of a plan, so also of a file that was deployed: planned for the hosts it is on. */
export function topologyOf(name: string, plan: DeploymentPlan): Topology {
  const byGroup = Map.groupBy(plan.instances, ({ group }) => group)
  const known = new Map(
    plan.instances.flatMap(({ host, id, ports }) =>
      ports.map(({ internal, external }) => [portKey({ host, id, internal }), external] as const),
    ),
  )
  return {
    name,
    containers: plan.containers.map(group => ({
      name: group.name,
      image: group.image,
      count: group.count,
      instances: (byGroup.get(group.name) ?? []).map(({ id, host, fate, ports }) => ({
        id,
        host: printHost(host),
        isDeployed: isDeployed(fate),
        ports,
      })),
      links: (plan.links.get(group.name) ?? []).map(({ fromHost, fromPort, to }) => ({
        from: `${fromHost}:${fromPort}`,
        to: `${hostNameOf(to.host)}:${known.get(portKey(to)) || '?'}`,
        id: to.id,
        port: to.internal,
      })),
      targets: group.links.map(({ to, aliasPorts }) => ({ to, ports: aliasPorts.map(({ internal }) => internal) })),
    })),
  }
}

function portKey({ host, id, internal }: PlannedLink['to']): string {
  return `${hostKey(host)} ${id} ${internal}`
}

function isDeployed(fate: PlannedInstance['fate']): boolean {
  return fate !== 'install' && fate !== 'move'
}

/** The hosts that a file has instances on, in the order in which they first appear. */
export function hostsOf(instances: readonly { readonly on?: PlannedInstance['host'] | undefined }[]): readonly PlannedInstance['host'][] {
  const hosts = instances.flatMap(({ on }) => (on === undefined ? [] : [on]))
  return [...Map.groupBy(hosts, hostKey).values()].flatMap(same => same.slice(0, 1))
}

/** The topology drawn as a tree. */
export function drawTopology({ name, containers }: Topology): string {
  const all = containers.flatMap(({ instances }) => instances)
  const hosts = new Set(all.map(({ host }) => host))
  const where = all.length === 0 ? 'not deployed' : `${counted(all.length, 'instance')} on ${counted(hosts.size, 'host')}`
  const trees = containers.map(container => {
    const { instances, links, targets } = container
    const seen =
      instances.length > 0
        ? links.map(({ from, to, id, port }) => `${from} → ${id} ${port} (${to})`)
        : targets.map(({ to, ports }) => `${to} ${ports.join(', ')}`)
    const branches: Branch[] = instances.map(instance => ({ text: instanceText(instance), leaves: [] }))
    if (seen.length > 0) branches.push({ text: instances.length > 0 ? 'sees' : 'links to', leaves: seen })
    return `${container.name}  ${container.image}  ${instances.length} of ${container.count}\n${drawBranches(branches)}`
  })
  return `${name}: ${where}\n\n${trees.join('\n')}`
}

function instanceText({ id, host, ports, isDeployed }: Topology['containers'][number]['instances'][number]): string {
  const published = ports.map(({ internal, external }) => `${internal} → ${external === 0 ? 'any port' : external}`)
  return [`${id} on ${host}`, published.join(', '), isDeployed ? '' : 'not deployed yet'].filter(part => part !== '').join('  ')
}

interface Branch {
  readonly text: string
  readonly leaves: readonly string[]
}

function drawBranches(branches: readonly Branch[]): string {
  return branches
    .flatMap(({ text, leaves }, index) => {
      const isLast = index === branches.length - 1
      const stem = isLast ? '   ' : '│  '
      return [
        `${isLast ? '└─ ' : '├─ '}${text}\n`,
        ...leaves.map((leaf, place) => `${stem}${place === leaves.length - 1 ? '└─ ' : '├─ '}${leaf}\n`),
      ]
    })
    .join('')
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
