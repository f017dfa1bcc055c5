/** The operations on links: store, have them applied, tell what became of them. Writes of one container's links come one after the other. */
import { type ContainerId, containerUnit, GearError, type LinksOfContainer, type ListedLink, limits } from '../../api/index.ts'
import type { NetworkLink } from '../../formats/index.ts'
import type { EngineContainer, Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex } from '../../lib/index.ts'
import { containerPaths, engineOfUnit } from '../layout/index.ts'
import { placeOf, reportLinks } from './link.ts'
import { type LinkStep, planLinks } from './plan.ts'
import { LinkStore } from './store.ts'

type LinkHost = Pick<Host, 'files' | 'paths' | 'units' | 'engines' | 'namespaces'>

export type LinksObserver = (id: ContainerId, step: LinkStep, when: 'before' | 'after') => void | Promise<void>

export interface WantedLinks {
  readonly id: ContainerId
  readonly networkLinks: readonly NetworkLink[]
}

export class Links {
  readonly #host: LinkHost
  readonly #store: LinkStore
  readonly #observe: LinksObserver
  readonly #locks = new KeyedMutex()

  constructor(host: LinkHost, observe: LinksObserver = () => undefined) {
    this.#host = host
    this.#store = new LinkStore(host)
    this.#observe = observe
  }

  /** Replaces the links of each container. What fails for one does not keep the others from theirs; the first failure is thrown. */
  async set(entries: readonly WantedLinks[], dryRun?: DryRun): Promise<void> {
    const outcomes = await Promise.allSettled(entries.map(entry => this.#locks.run(entry.id, () => this.#setOne(entry, dryRun))))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #setOne({ id, networkLinks: links }: WantedLinks, dryRun: DryRun | undefined): Promise<void> {
    const steps = planLinks({ id, links, isUp: await this.#isUp(id) })
    await applySteps<LinkStep>(
      steps,
      {
        storeLinks: step => this.#store.write(step.id, step.links),
        applyLinks: step => this.#host.units.queueRestart(step.unit, 'replace'),
      },
      (step, when) => this.#observe(id, step, when),
      dryRun,
    )
  }

  /** The links of a container. Throws CONTAINER_UNKNOWN when there are none and no container either. */
  async report(id: ContainerId, { isChecked }: { readonly isChecked: boolean }): Promise<LinksOfContainer> {
    const [links, applied, isUp, installed] = await Promise.all([
      this.#store.read(id),
      this.#store.applied(id),
      this.#isUp(id),
      this.#store.isInstalled(id),
    ])
    if (links === undefined && !installed) {
      throw new GearError('CONTAINER_UNKNOWN', `There is no container ${id} on this host, and no links are stored for one`)
    }
    const report = reportLinks({ links: links ?? [], applied, isUp })
    return { id, installed, links: [...(isChecked ? await this.#check(id, report) : report)] }
  }

  /** Tries the links that are in effect, each where the container finds it, so that the rule is tried with its target. */
  async #check(id: ContainerId, links: readonly ListedLink[]): Promise<readonly ListedLink[]> {
    const tried = links.filter(link => link.state === 'applied')
    const container = tried.length === 0 ? undefined : await this.#containerOf(id)
    if (container === undefined || !container.isRunning) return links
    const answers = await this.#host.namespaces.connect(container.pid, tried.map(placeOf), { timeoutMs: limits.linkCheckMs })
    const byLink = new Map(tried.map((link, index) => [link, answers[index]]))
    return links.map(link => ({ ...link, ...byLink.get(link) }))
  }

  async #containerOf(id: ContainerId): Promise<EngineContainer | undefined> {
    const { files, paths, engines } = this.#host
    return engines.of(engineOfUnit((await files.read(containerPaths(paths, id).unit)) ?? '')).container(id)
  }

  async #isUp(id: ContainerId): Promise<boolean> {
    const { activeState } = await this.#host.units.status(containerUnit(id))
    return activeState !== 'inactive' && activeState !== 'failed'
  }
}
