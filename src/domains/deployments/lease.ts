/**
 * That a deploy is alone: a lease on every host that it changes, taken before anything else and kept while it works. The first host in the order
 * of names decides between two that begin at the same time, so exactly one of them goes on.
 */
import { GearError, type LeaseName } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { type LocatorHost, printHost } from '../../formats/index.ts'
import type { Hosts } from './hosts.ts'
import { hostKey } from './members.ts'

export interface LeaseRequest {
  readonly name: string
  readonly idPrefix: string
  readonly containers: readonly string[]
  /** Who deploys, for the other one. */
  readonly holder: string
  /** 22 characters of base64url, of this deploy alone. */
  readonly token: string
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A host that was cut off meanwhile is not waited for long: its lease ends by itself. */
const goodbyeMs = 3000
const leaseSeconds = 20
const renewMs = 6000

export interface HeldLease {
  /** Aborts when a host has given the lease to somebody else, with the error that says to whom. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/**
 * Takes the lease on all hosts that can be reached, and keeps it. Hosts that cannot be are marked so. Throws LEASE_HELD, and what else hosts say
 * that no wait would mend; then no host keeps a lease. `isNeeded` tells whether a host has to be there at all.
 */
export async function takeLease(
  hosts: Hosts,
  places: readonly LocatorHost[],
  wanted: LeaseRequest,
  isNeeded: (host: LocatorHost) => boolean,
): Promise<HeldLease> {
  const held = new Set<LocatorHost>()
  const order = places.toSorted((a, b) => (hostKey(a) < hostKey(b) ? -1 : 1))
  const take = async (host: LocatorHost): Promise<boolean> => {
    try {
      const { renewed } = await hosts.call(host, takeRequest(wanted))
      held.add(host)
      // Moved from one of its names to the other, a container would be deleted where it has just been installed.
      if (renewed) throw sameMachine(host)
      return true
    } catch (error) {
      if (!(error instanceof GearError)) throw error
      // An original agent knows no leases; it is served as well as it can be.
      if (error.code === 'ROUTE_UNKNOWN' || error.code === 'METHOD_NOT_ALLOWED') return true
      if (isNeeded(host) && !mayComeBack(error)) throw error
      hosts.lose(host, error)
      return false
    }
  }
  try {
    let begun = 0
    while (begun < order.length && !(await take(order[begun++] as LocatorHost))) hosts.signal.throwIfAborted()
    const rest = order.slice(begun)
    const failures: unknown[] = []
    await Promise.all(rest.map(host => take(host).then(ignore, error => void failures.push(error))))
    if (failures.length > 0) throw failures[0]
    hosts.signal.throwIfAborted()
  } catch (error) {
    await giveBack(hosts, held, wanted)
    throw error
  }
  return keep(hosts, held, wanted)
}

function sameMachine(host: LocatorHost): GearError {
  const message = `${printHost(host)} is the same machine as another of the hosts, those of the file among them, under another name: call it by one name, that of the file`
  return new GearError('DEPLOYMENT_INVALID', message)
}

/** A host that is off or cut off may be back for the next deploy; a name that nobody knows or a token that is wrong is a mistake. */
function mayComeBack(error: GearError): boolean {
  const code = (error.cause as { readonly code?: string } | undefined)?.code
  return error.code === 'HOST_UNREACHABLE' && code !== 'ENOTFOUND' && code !== 'EAI_AGAIN'
}

function keep(hosts: Hosts, held: ReadonlySet<LocatorHost>, wanted: LeaseRequest): HeldLease {
  const ended = new AbortController()
  const lost = new AbortController()
  const renewing = (async () => {
    for (;;) {
      await wanted.pause(renewMs, ended.signal)
      await Promise.all(
        [...held].map(host =>
          hosts.call(host, takeRequest(wanted), { limitMs: renewMs, isTolerant: true }).then(ignore, error => {
            if (error instanceof GearError && error.code === 'LEASE_HELD') lost.abort(error)
          }),
        ),
      )
    }
  })().catch(error => {
    if (!ended.signal.aborted) throw error
  })
  return {
    lost: lost.signal,
    async release() {
      ended.abort()
      await renewing
      await giveBack(hosts, held, wanted)
    },
  }
}

function takeRequest({ name, idPrefix, containers, holder, token }: LeaseRequest) {
  const names = containers.map(container => leaseNameOf(idPrefix + container))
  return request('takeLease', {
    params: { name: leaseNameOf(idPrefix + name) },
    body: { token, holder, containers: names, seconds: leaseSeconds },
  })
}

/** What could not be given back ends by itself. */
async function giveBack(hosts: Hosts, held: ReadonlySet<LocatorHost>, { name, idPrefix, token }: LeaseRequest): Promise<void> {
  const give = request('releaseLease', { params: { name: leaseNameOf(idPrefix + name) }, query: { token } })
  await Promise.all([...held].map(host => hosts.call(host, give, { limitMs: goodbyeMs, isTolerant: true }).then(ignore, ignore)))
}

function ignore(): void {}

/** A name as leases have them; two names that differ only in odd characters share a lease. */
function leaseNameOf(text: string): LeaseName {
  const plain = text.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  return (/^[A-Za-z0-9]/.test(plain) ? plain : `x${plain}`).slice(0, 96) as LeaseName
}
