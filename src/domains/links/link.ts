/** A link and what became of it. Pure. */
import type { ListedLink } from '../../api/index.ts'
import { isCompleteLink, type NetworkLink } from '../../formats/index.ts'

/** What the helper says of a link: the address it led it to, or why it left it out. */
export interface AppliedLink extends NetworkLink {
  readonly address: string
  readonly problem: string
}

export interface FoundLinks {
  /** The links as they are stored. */
  readonly links: readonly NetworkLink[]
  /** What the helper did last for the container that runs. */
  readonly applied: readonly AppliedLink[]
  /** The container runs or is about to. */
  readonly isUp: boolean
}

export function reportLinks({ links, applied, isUp }: FoundLinks): readonly ListedLink[] {
  const byLink = new Map(applied.map(one => [keyOf(one), one]))
  return links.map(link => ({ ...link, ...outcomeOf(link, isUp, byLink.get(keyOf(link))) }))
}

function outcomeOf(link: NetworkLink, isUp: boolean, done: AppliedLink | undefined): Pick<ListedLink, 'state' | 'address' | 'problem'> {
  if (!isCompleteLink(link)) return { state: 'incomplete' }
  if (!isUp) return { state: 'stored' }
  if (done === undefined) return { state: 'pending' }
  return done.problem === '' ? { state: 'applied', address: done.address } : { state: 'waiting', problem: done.problem }
}

function keyOf({ fromHost, fromPort, toPort, toHost }: NetworkLink): string {
  return `${fromHost}\t${fromPort}\t${toPort}\t${toHost}`
}

/** The place inside the container at which a link is found. */
export function placeOf({ fromHost, fromPort }: NetworkLink): { readonly host: string; readonly port: number } {
  return { host: fromHost === '' ? '127.0.0.1' : fromHost, port: fromPort }
}

/** Reads what `libexec/container-links` wrote: the four fields of the links file, then the address and the problem, between tabs. */
export function parseApplied(text: string): readonly AppliedLink[] {
  return text.split('\n').flatMap(line => {
    const [fromHost, fromPort, toPort, toHost, address, problem] = line.split('\t')
    if (fromHost === undefined || toHost === undefined || address === undefined || problem === undefined) return []
    return [{ fromHost, fromPort: Number(fromPort), toPort: Number(toPort), toHost, address, problem }]
  })
}
