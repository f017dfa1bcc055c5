/**
 * Copies under way. They end with the run of their container, and when it is deleted: Docker lets nobody else near a container while somebody copies, those
 * who want to stop it among them. Anybody may stop it, so systemd is listened to.
 */
import { type ContainerId, containerUnit, GearError } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

export interface Copy {
  /** Aborts when the copy has to end, with the reason. */
  readonly signal: AbortSignal
  /** It has ended. Calling it again does nothing. */
  readonly done: () => void
}

export class Copies {
  readonly #host: Pick<Host, 'units'>
  readonly #running = new Map<ContainerId, Set<AbortController>>()

  constructor(host: Pick<Host, 'units'>) {
    this.#host = host
  }

  begin(id: ContainerId): Copy {
    const copy = new AbortController()
    const over = new AbortController()
    const copies = this.#running.get(id) ?? new Set()
    this.#running.set(id, copies.add(copy))
    const end = () => copy.abort(copyEnded(id))
    // Without a bus nobody can say; the copy goes on.
    this.#watch(id, end, over.signal).catch(() => undefined)
    const done = (): void => {
      over.abort()
      copies.delete(copy)
      if (copies.size === 0 && this.#running.get(id) === copies) this.#running.delete(id)
    }
    return { signal: copy.signal, done }
  }

  /** Ends those of a container. */
  end(id: ContainerId): void {
    for (const copy of this.#running.get(id) ?? []) copy.abort(copyEnded(id))
  }

  async #watch(id: ContainerId, end: () => void, signal: AbortSignal): Promise<void> {
    const { units } = this.#host
    const unit = containerUnit(id)
    let isUp = false
    const look = async (): Promise<void> => {
      const { activeState } = await units.status(unit)
      if (activeState === 'active') isUp = true
      else if (isUp || activeState === 'deactivating') end()
    }
    const changes = units.changes(signal)
    // It listens from here on, so no change falls between.
    const first = changes.next()
    first.catch(() => undefined)
    await look()
    for (let change = await first; change.done !== true; change = await changes.next()) if (change.value === unit) await look()
  }
}

function copyEnded(id: ContainerId): GearError {
  return new GearError('CONTAINER_NOT_RUNNING', `Container ${id} is being stopped or deleted, which ended the copy`)
}
