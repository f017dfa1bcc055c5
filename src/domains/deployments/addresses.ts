/**
 * By which local addresses instances reach each other (spec §10.3, steps 6 to 9): what a link asks for, a table of what is given away, and the
 * search for what is free. An address stands for one port of one instance, the same in every container that links to it. Pure.
 */
import type { Deployment } from '../../api/deployment-file.ts'
import { placeInvalid } from './file.ts'
import type { Draft, DraftPort, Group } from './members.ts'

type LinkOfFile = Group['links'][number]

/** A link with where it is in the file. */
export interface PlacedLink {
  readonly source: Group
  readonly link: LinkOfFile
  readonly path: string
}

/** The containers of the file with every port that a link leads to among its aliases; these go into the file that a deploy writes. */
export function withAliases(containers: Deployment['containers']): Deployment['containers'] {
  const byName = new Map(containers.map(group => [group.name, group]))
  return containers.map((group, index) => ({
    ...group,
    links: group.links.map((link, at) => {
      const path = `Containers[${index}].Links[${at}]`
      const target = byName.get(link.to)
      if (target === undefined) throw placeInvalid(`${path}.To`, `there is no container ${JSON.stringify(link.to)}`)
      if (target.publicPorts.length === 0) throw placeInvalid(`${path}.To`, `${link.to} has no PublicPorts to link to`)
      const aliases = [...link.aliasPorts]
      const missing = link.ports.filter(
        (port, place) => !aliases.some(alias => alias.internal === port) && link.ports.indexOf(port) === place,
      )
      aliases.push(...missing.map(internal => ({ internal, external: 0 })))
      if (aliases.length === 0) aliases.push(...target.publicPorts.map(({ internal }) => ({ internal, external: 0 })))
      for (const { internal } of aliases) requirePort(link, target, internal, path)
      const other = link.matchPort ? aliases.find(alias => alias.external !== 0 && alias.external !== alias.internal) : undefined
      if (other !== undefined)
        throw placeInvalid(path, `cannot have MatchPort and an alias of ${other.internal} with the port ${other.external}`)
      return { ...link, aliasPorts: aliases }
    }),
  }))
}

function requirePort(link: LinkOfFile, target: Group, internal: number, path: string): void {
  if (target.publicPorts.some(port => port.internal === internal)) return
  const at = link.ports.indexOf(internal)
  const place = at >= 0 ? `Ports[${at}]` : `AliasPorts[${link.aliasPorts.findIndex(alias => alias.internal === internal)}].Internal`
  const offered = target.publicPorts.map(port => port.internal).join(', ')
  throw placeInvalid(`${path}.${place}`, `${target.name} does not declare the port ${internal}; its PublicPorts are ${offered}`)
}

/** All links, the strictest first: it decides the address for everybody. Equal ones keep the order of the file. */
export function linksByPriority(containers: readonly Group[]): readonly PlacedLink[] {
  const all = containers.flatMap((source, index) =>
    source.links.map((link, at) => ({ source, link, path: `Containers[${index}].Links[${at}]` })),
  )
  return all.toSorted((a, b) => priority(b) - priority(a))
}

function priority({ source, link }: PlacedLink): number {
  return (link.matchPort ? 4 : 0) + (link.nonLocal ? 2 : 0) + (link.to === source.name ? 1 : 0)
}

export interface Reserved {
  /** Instances whose address is another than in the last deploy. */
  readonly readdressed: ReadonlySet<Draft>
}

/** Gives every port that a link leads to its address, in the drafts themselves. */
export function reserveAddresses(drafts: readonly Draft[], links: readonly PlacedLink[]): Reserved {
  const table = new AddressTable()
  for (const draft of drafts) for (const port of draft.ports) takeStored(table, draft, port)
  const byGroup = Map.groupBy(drafts, draft => draft.group)
  const readdressed = new Set<Draft>()
  for (const placed of links) {
    for (const alias of placed.link.aliasPorts) {
      for (const target of byGroup.get(placed.link.to) ?? []) {
        const port = target.ports.find(({ internal }) => internal === alias.internal)
        if (port === undefined) throw new Error(`${target.id} has no port ${alias.internal}`)
        const wanted = wantedOf(placed.link, alias)
        const complaint = port.target === undefined ? undefined : complaintOf(port.target, wanted)
        if (port.target !== undefined && complaint !== undefined) {
          if (!port.isStored)
            throw placeInvalid(placed.path, `${complaint} ${target.id} has the address ${addressText(port.target)} for another link`)
          // The description has changed since the last deploy.
          table.release(port.target)
          port.target = undefined
        }
        if (port.target === undefined) {
          port.target = table.take(wanted, { holder: target.id, path: placed.path })
          readdressed.add(target)
        }
        port.isStored = false
      }
    }
  }
  return { readdressed }
}

function takeStored(table: AddressTable, draft: Draft, port: DraftPort): void {
  if (port.target === undefined) return
  const other = table.holderOf(port.target)
  if (other === undefined) {
    table.note(port.target, draft.id)
    return
  }
  // A moved instance would like to keep its address; that of one that stays goes before.
  if (!draft.isNew) throw placeInvalid('Instances', `${other} and ${draft.id} have the same Target ${addressText(port.target)}`)
  port.target = undefined
  port.isStored = false
}

/** What a link asks of an address. */
interface Wanted {
  readonly isNonLocal: boolean
  /** The port may not be another; then the address differs from target to target. */
  readonly isPortFixed: boolean
  readonly port: number
  readonly needsOwnPort: number | undefined
  readonly alias: number
}

function wantedOf({ nonLocal, matchPort }: LinkOfFile, alias: { readonly internal: number; readonly external: number }): Wanted {
  return {
    isNonLocal: nonLocal,
    isPortFixed: matchPort || alias.external !== 0,
    port: alias.external || alias.internal,
    needsOwnPort: matchPort ? alias.internal : undefined,
    alias: alias.external,
  }
}

/** Why an address does not do, as the beginning of a sentence. */
function complaintOf(target: { readonly host: string; readonly port: number }, wanted: Wanted): string | undefined {
  if (wanted.isNonLocal && target.host.startsWith('127.')) return 'is NonLocal, but'
  if (wanted.needsOwnPort !== undefined && target.port !== wanted.needsOwnPort)
    return `needs the port ${wanted.needsOwnPort} (MatchPort), but`
  if (wanted.alias !== 0 && wanted.alias !== target.port) return `needs the port ${wanted.alias}, but`
  return undefined
}

function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`
}

const portMax = 65_535
/** Where a search for a port goes on when there is none above the wanted one. */
const portAgain = 40_000

/** Which addresses stand for something. Searches go on where the last of their kind ended, so that a thousand cost a thousand steps. */
class AddressTable {
  readonly #holders = new Map<string, string>()
  readonly #cursors = new Map<string, number>()

  holderOf(address: { readonly host: string; readonly port: number }): string | undefined {
    return this.#holders.get(addressText(address))
  }

  note(address: { readonly host: string; readonly port: number }, holder: string): void {
    this.#holders.set(addressText(address), holder)
  }

  release(address: { readonly host: string; readonly port: number }): void {
    this.#holders.delete(addressText(address))
    this.#cursors.clear()
  }

  take(
    wanted: Wanted,
    { holder, path }: { readonly holder: string; readonly path: string },
  ): { readonly host: string; readonly port: number } {
    const candidates = wanted.isPortFixed ? hostsOf(wanted) : portsOf(wanted)
    const kind = `${wanted.isNonLocal} ${wanted.isPortFixed} ${wanted.port}`
    for (let step = this.#cursors.get(kind) ?? 0; step < candidates.count; step++) {
      const address = candidates.at(step)
      if (this.#holders.has(addressText(address))) continue
      this.#cursors.set(kind, step + 1)
      this.note(address, holder)
      return address
    }
    throw placeInvalid(path, wanted.isPortFixed ? `no local address is left for the port ${wanted.port}` : 'no local port is left')
  }
}

interface Candidates {
  readonly count: number
  readonly at: (step: number) => { readonly host: string; readonly port: number }
}

/** 127.0.0.1 to 127.0.0.254, 127.0.1.1 and so on, and the same from 192.168.1.1. */
function hostsOf({ isNonLocal, port }: Wanted): Candidates {
  const [start, first] = isNonLocal ? ['192.168.', 1] : ['127.0.', 0]
  return {
    count: (256 - first) * 254,
    at: step => ({ host: `${start}${first + Math.floor(step / 254)}.${1 + (step % 254)}`, port }),
  }
}

function portsOf({ isNonLocal, port }: Wanted): Candidates {
  const host = isNonLocal ? '192.168.1.1' : '127.0.0.1'
  const above = portMax - port + 1
  const again = Math.max(0, port - portAgain)
  return { count: above + again, at: step => ({ host, port: step < above ? port + step : portAgain + step - above }) }
}
