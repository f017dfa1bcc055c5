/** The operations on leases: one small file each below `$RUN/leases`, which survive the agent but not a reboot. */
import type { LeaseName } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex } from '../../lib/index.ts'
import { leaseFile, leaseFolder, modes } from '../layout/index.ts'
import { type FoundLeases, type Lease, type LeaseStep, planRelease, planTake, type WantedLease } from './lease.ts'

export class Leases {
  readonly #host: Pick<Host, 'files' | 'paths' | 'clock'>
  readonly #lock = new KeyedMutex()

  constructor(host: Pick<Host, 'files' | 'paths' | 'clock'>) {
    this.#host = host
  }

  /** Takes a lease, or makes one that has this token last longer. Throws LEASE_HELD with who has it. */
  take(name: LeaseName, wanted: WantedLease, dryRun?: DryRun) {
    return this.#lock.run('leases', async () => {
      const { clock } = this.#host
      const found = await this.#look()
      await this.#apply(planTake(name, wanted, found, clock.nowMs()), dryRun)
      const endsAt = new Date(clock.nowMs() + wanted.seconds * 1000).toISOString()
      return { name, holder: wanted.holder, endsAt, renewed: found.held.has(name) }
    })
  }

  /** Gives a lease back, if it still has this token. */
  release(name: LeaseName, token: string, dryRun?: DryRun): Promise<void> {
    return this.#lock.run('leases', async () => this.#apply(planRelease(name, token, await this.#read(name)), dryRun))
  }

  /** Without their tokens. */
  async list() {
    const { held } = await this.#look()
    return [...held].map(([name, { holder, sinceMs, endsMs, containers }]) => ({
      name,
      holder,
      since: new Date(sinceMs).toISOString(),
      endsAt: new Date(endsMs).toISOString(),
      containers: [...containers],
    }))
  }

  #apply(steps: readonly LeaseStep[], dryRun: DryRun | undefined): Promise<void> {
    const { files, paths } = this.#host
    return applySteps<LeaseStep>(
      steps,
      {
        removeLease: async ({ name }) => void (await files.remove(leaseFile(paths, name))),
        writeLease: async ({ name, lease }) => {
          await files.makeFolder(leaseFolder(paths), modes.privateFolder)
          await files.write(leaseFile(paths, name), JSON.stringify(lease), modes.secretFile)
        },
      },
      undefined,
      dryRun,
    )
  }

  async #look(): Promise<FoundLeases> {
    const { files, paths, clock } = this.#host
    const held = new Map<LeaseName, Lease>()
    const over: LeaseName[] = []
    for (const entry of await files.list(leaseFolder(paths))) {
      const name = entry.name as LeaseName
      const lease = await this.#read(name)
      // Nobody takes one for longer than an hour; one that ends later was made before the clock was set back.
      if (lease !== undefined && lease.endsMs > clock.nowMs() && lease.endsMs <= clock.nowMs() + longestMs) held.set(name, lease)
      else over.push(name)
    }
    return { held, over }
  }

  async #read(name: LeaseName): Promise<Lease | undefined> {
    const text = await this.#host.files.read(leaseFile(this.#host.paths, name))
    try {
      return text === undefined ? undefined : readLease(JSON.parse(text) as StoredLease)
    } catch {
      // Only an administrator can have broken it; a lease that says nothing holds nothing.
      return undefined
    }
  }
}

const longestMs = 3_600_000

/** One that an agent of an earlier version wrote does not say since when it is held. */
type StoredLease = Omit<Lease, 'sinceMs'> & { readonly sinceMs?: number }

function readLease(lease: StoredLease): Lease {
  return { ...lease, sinceMs: lease.sinceMs ?? lease.endsMs }
}
