/** What a lease is on a host, and when another one stands in its way. Pure. */
import { GearError, type LeaseName } from '../../api/index.ts'

export interface Lease {
  readonly token: string
  /** `user@host` of whoever deploys. */
  readonly holder: string
  /** The containers of the deployment, each with the prefix of its ids. */
  readonly containers: readonly string[]
  readonly sinceMs: number
  readonly endsMs: number
}

export interface WantedLease {
  readonly token: string
  readonly holder: string
  readonly containers: readonly string[]
  readonly seconds: number
}

/** The leases of a host: those whose time is over are removed by the next change. */
export interface FoundLeases {
  readonly held: ReadonlyMap<LeaseName, Lease>
  readonly over: readonly LeaseName[]
}

export type LeaseStep = { readonly reason: string; readonly name: LeaseName } & (
  | { readonly kind: 'removeLease' }
  | { readonly kind: 'writeLease'; readonly lease: Lease }
)

/** Throws LEASE_HELD with who has it, since when, and until when. */
export function planTake(name: LeaseName, wanted: WantedLease, { held, over }: FoundLeases, nowMs: number): readonly LeaseStep[] {
  const { token, holder, containers, seconds } = wanted
  for (const [other, lease] of held) {
    if (lease.token === token) continue
    if (other === name || containers.some(container => lease.containers.includes(container))) throw leaseHeld(other, lease, nowMs)
  }
  const own = held.get(name)
  const lease = { token, holder, containers, sinceMs: own?.sinceMs ?? nowMs, endsMs: nowMs + seconds * 1000 }
  return [
    ...over.filter(each => each !== name).map((each): LeaseStep => ({ kind: 'removeLease', name: each, reason: 'its time is over' })),
    { kind: 'writeLease', name, lease, reason: own === undefined ? 'nobody else has it' : 'it is to last longer' },
  ]
}

/** Only with its token; of one that is somebody else's by now nothing is done. */
export function planRelease(name: LeaseName, token: string, lease: Lease | undefined): readonly LeaseStep[] {
  return lease?.token === token ? [{ kind: 'removeLease', name, reason: 'it is given back' }] : []
}

function leaseHeld(name: LeaseName, { holder, sinceMs, endsMs }: Lease, nowMs: number): GearError {
  const seconds = Math.ceil((endsMs - nowMs) / 1000)
  const since = `since ${timeText(sinceMs)} (${Math.max(0, Math.round((nowMs - sinceMs) / 1000))} s)`
  const until = `its lease ends at ${timeText(endsMs)} (in ${seconds} s) unless it is kept longer`
  return new GearError('LEASE_HELD', `${name} is being deployed by ${holder} ${since}; ${until}`, { retryAfterSeconds: seconds })
}

function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`
}
