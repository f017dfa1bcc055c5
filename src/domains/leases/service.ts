/**
 * The operations on leases: one small file each below `$RUN/leases`, which survive the agent but not a reboot. Files tell times since the host booted:
 * nobody loses a lease because the clock was set.
 */
import type { LeaseName } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex, type NamedStepObserver } from '../../lib/index.ts'
import { leaseFile, leaseFolder, modes } from '../layout/index.ts'
import { type FoundLeases, type Lease, type LeaseStep, planRelease, planTake, type WantedLease } from './lease.ts'

export class Leases {
  readonly #host: Pick<Host, 'files' | 'paths' | 'clock'>
  readonly #observe: NamedStepObserver
  readonly #lock = new KeyedMutex()

  constructor(host: Pick<Host, 'files' | 'paths' | 'clock'>, observe: NamedStepObserver = () => undefined) {
    this.#host = host
    this.#observe = observe
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
          await files.write(leaseFile(paths, name), JSON.stringify(storedLease(lease, this.#bootedMs())), modes.secretFile)
        },
      },
      (step, when) => this.#observe(step.name, step, when),
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
      // Nobody takes one for longer than an hour; one that ends later is no lease of this boot.
      if (lease !== undefined && lease.endsMs > clock.nowMs() && lease.endsMs <= clock.nowMs() + longestMs) held.set(name, lease)
      else over.push(name)
    }
    return { held, over }
  }

  #bootedMs(): number {
    const { clock } = this.#host
    return clock.nowMs() - clock.elapsedMs()
  }

  async #read(name: LeaseName): Promise<Lease | undefined> {
    const text = await this.#host.files.read(leaseFile(this.#host.paths, name))
    try {
      return text === undefined ? undefined : readLease(JSON.parse(text) as StoredLease, this.#bootedMs())
    } catch {
      // Only an administrator can have broken it; a lease that says nothing holds nothing.
      return undefined
    }
  }
}

const longestMs = 3_600_000

/** A lease in its file, with times in milliseconds since the host booted. */
type StoredLease = Omit<Lease, 'sinceMs' | 'endsMs'> & { readonly sinceBootMs: number; readonly endsBootMs: number }

/** `bootedMs` is when the host booted, by the clock as it is set now. */
function readLease({ sinceBootMs, endsBootMs, ...lease }: StoredLease, bootedMs: number): Lease {
  return { ...lease, sinceMs: bootedMs + sinceBootMs, endsMs: bootedMs + endsBootMs }
}

function storedLease({ sinceMs, endsMs, ...lease }: Lease, bootedMs: number): StoredLease {
  return { ...lease, sinceBootMs: sinceMs - bootedMs, endsBootMs: endsMs - bootedMs }
}
