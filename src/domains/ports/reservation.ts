/**
 * What becomes of the ports of a container (spec §8.2), as a decision without effects: given what is wanted, what the container has
 * now, the reservations found on disk and a source of free ports, which pairs result, which links are made, kept and given back.
 */
import { GearError } from '../../api/index.ts'
import type { PortPair } from '../../formats/index.ts'

export interface PortPlan {
  /** The pairs in the order of the request, every external port decided. */
  readonly pairs: readonly PortPair[]
  /** External ports to reserve now; each must not be reserved by anyone yet. */
  readonly reserve: readonly number[]
  /** External ports that are ours already and point at the new version from now on. */
  readonly keep: readonly number[]
  /** External ports of ours that are no longer wanted. */
  readonly release: readonly number[]
}

export interface PortSituation {
  readonly wanted: readonly PortPair[]
  /** Pairs of the installed unit. */
  readonly existing: readonly PortPair[]
  /** External ports whose reservation belongs to this container; more than `existing` after a crash. */
  readonly owned: ReadonlySet<number>
}

/** Who holds a port that was asked for, in words; undefined when nobody does. */
export type PortHolder = (port: number) => Promise<string | undefined>

/**
 * A wanted external port of 0 keeps the port the internal one has now, else gets a new one. A named port must be ours or free: a
 * conflict is PORT_TAKEN and nothing was changed.
 */
export async function planPorts(situation: PortSituation, allocate: () => Promise<number>, holderOf: PortHolder): Promise<PortPlan> {
  const { wanted, existing, owned } = situation
  const current = new Map(existing.map(pair => [pair.internal, pair.external]))
  /** External ports that are somebody's in this request: named by a pair, or decided for one. */
  const spoken = new Set(wanted.map(pair => pair.external).filter(port => port !== 0))
  const pairs: PortPair[] = []
  for (const { internal, external } of wanted) {
    const kept = current.get(internal)
    if (external !== 0) {
      if (!owned.has(external)) await requireFree(external, holderOf)
      pairs.push({ internal, external })
    } else {
      const decided = kept !== undefined && owned.has(kept) && !spoken.has(kept) ? kept : await allocateOther(allocate, spoken)
      spoken.add(decided)
      pairs.push({ internal, external: decided })
    }
  }
  const result = new Set(pairs.map(pair => pair.external))
  return {
    pairs,
    reserve: [...result].filter(port => !owned.has(port)),
    keep: [...result].filter(port => owned.has(port)),
    release: [...owned].filter(port => !result.has(port)),
  }
}

async function requireFree(port: number, holderOf: PortHolder): Promise<void> {
  const holder = await holderOf(port)
  if (holder !== undefined) throw portTaken(port, holder)
}

export function portTaken(port: number, holder: string): GearError {
  return new GearError('PORT_TAKEN', `The external port ${port} cannot be reserved: it is ${holder}`, { data: { port } })
}

/** The port that a PORT_TAKEN error is about. */
export function takenPort(error: unknown): number | undefined {
  if (!(error instanceof GearError) || error.code !== 'PORT_TAKEN') return undefined
  return (error.data as { readonly port: number }).port
}

/** Allocation goes round: a port that comes a second time is the only one there is. */
async function allocateOther(allocate: () => Promise<number>, spoken: ReadonlySet<number>): Promise<number> {
  const passed = new Set<number>()
  for (;;) {
    const port = await allocate()
    if (!spoken.has(port)) return port
    if (passed.has(port)) throw new GearError('PORTS_EXHAUSTED', 'The request asks for more ports than are free')
    passed.add(port)
  }
}
