/** The operations on leases: one small file each below `$RUN/leases`, which survive the agent but not a reboot. */
import { GearError, type LeaseName } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { KeyedMutex } from '../../lib/index.ts'
import { leaseFile, leaseFolder, modes } from '../layout/index.ts'

export interface WantedLease {
  readonly token: string
  readonly holder: string
  /** The containers of the deployment, each with the prefix of its ids. */
  readonly containers: readonly string[]
  readonly seconds: number
}

interface Lease {
  readonly token: string
  readonly holder: string
  readonly containers: readonly string[]
  readonly endsMs: number
}

export class Leases {
  readonly #host: Pick<Host, 'files' | 'paths' | 'clock'>
  readonly #lock = new KeyedMutex()

  constructor(host: Pick<Host, 'files' | 'paths' | 'clock'>) {
    this.#host = host
  }

  /** Takes a lease, or makes one that has this token last longer. Throws LEASE_HELD with who has it. */
  take(name: LeaseName, { token, holder, containers, seconds }: WantedLease) {
    return this.#lock.run('leases', async () => {
      const { files, paths, clock } = this.#host
      let renewed = false
      for (const [other, lease] of await this.#held()) {
        if (lease.token === token) renewed ||= other === name
        else if (other === name || containers.some(container => lease.containers.includes(container))) {
          throw leaseHeld(other, lease, clock.nowMs())
        }
      }
      const endsMs = clock.nowMs() + seconds * 1000
      await files.makeFolder(leaseFolder(paths), modes.privateFolder)
      await files.write(leaseFile(paths, name), JSON.stringify({ token, holder, containers, endsMs } satisfies Lease), modes.secretFile)
      return { name, holder, endsAt: new Date(endsMs).toISOString(), renewed }
    })
  }

  /** Gives a lease back, if it still has this token. */
  release(name: LeaseName, token: string): Promise<void> {
    return this.#lock.run('leases', async () => {
      const lease = await this.#read(name)
      if (lease?.token === token) await this.#host.files.remove(leaseFile(this.#host.paths, name))
    })
  }

  /** The leases whose time is not over; those whose is are removed. */
  async #held(): Promise<readonly (readonly [name: LeaseName, lease: Lease])[]> {
    const { files, paths, clock } = this.#host
    const held: [LeaseName, Lease][] = []
    for (const { name } of await files.list(leaseFolder(paths))) {
      const lease = await this.#read(name as LeaseName)
      // Nobody takes one for longer than an hour; one that ends later was made before the clock was set back.
      if (lease !== undefined && lease.endsMs > clock.nowMs() && lease.endsMs <= clock.nowMs() + longestMs)
        held.push([name as LeaseName, lease])
      else await files.remove(leaseFile(paths, name as LeaseName))
    }
    return held
  }

  async #read(name: LeaseName): Promise<Lease | undefined> {
    const text = await this.#host.files.read(leaseFile(this.#host.paths, name))
    try {
      return text === undefined ? undefined : (JSON.parse(text) as Lease)
    } catch {
      // Only an administrator can have broken it; a lease that says nothing holds nothing.
      return undefined
    }
  }
}

const longestMs = 3_600_000

function leaseHeld(name: LeaseName, { holder, endsMs }: Lease, nowMs: number): GearError {
  const seconds = Math.ceil((endsMs - nowMs) / 1000)
  return new GearError('LEASE_HELD', `${name} is being deployed by ${holder}; its lease ends in ${seconds} s unless it is kept longer`, {
    retryAfterSeconds: seconds,
  })
}
