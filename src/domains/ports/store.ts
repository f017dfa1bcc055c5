/**
 * Reservations on disk: `$BASE/ports/interfaces/1/<block>/<port>` is a symbolic link to the version file of the unit that has the port
 * (spec §5.4). Making the link is what reserves, and fails when it exists. Whose it is follows from where it points, so nobody ever
 * touches a link of another container.
 */
import { type ContainerId, isId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { containerPaths, folderOf, modes, portFolder, portLink } from '../layout/index.ts'
import { portTaken } from './reservation.ts'

export class PortStore {
  readonly #host: Pick<Host, 'files' | 'network' | 'paths'>

  constructor(host: Pick<Host, 'files' | 'network' | 'paths'>) {
    this.#host = host
  }

  /** Which of these ports are reserved for the container, in their order. */
  async ownedOf(id: ContainerId, ports: Iterable<number>): Promise<ReadonlySet<number>> {
    const versions = containerPaths(this.#host.paths, id).versions
    const asked = [...new Set(ports)]
    const targets = await Promise.all(asked.map(port => this.#host.files.readLink(portLink(this.#host.paths, port))))
    return new Set(asked.filter((_, index) => targets[index]?.startsWith(`${versions}/`)))
  }

  /** Who has a port, in words: another container by its reservation, or a program that listens on it. */
  async holderOf(port: number): Promise<string | undefined> {
    const target = await this.#host.files.readLink(portLink(this.#host.paths, port))
    if (target !== undefined) return `reserved by ${ownerOf(target)}`
    return (await this.#host.network.isPortFree(port)) ? undefined : 'used by another program on this host'
  }

  /**
   * Reserves ports for a version file. All or none: on a conflict (PORT_TAKEN) only the links made here are taken back.
   * Returns the folders to sync.
   */
  async reserve(ports: readonly number[], version: string): Promise<readonly string[]> {
    const made: number[] = []
    const changed: string[] = []
    try {
      for (const port of ports) {
        const folder = portFolder(this.#host.paths, port)
        changed.push(folder, ...(await this.#host.files.makeFolder(folder, modes.secretFolder)))
        if (!(await this.#host.files.link(version, portLink(this.#host.paths, port)))) throw await this.#conflict(port)
        made.push(port)
      }
      return changed
    } catch (error) {
      for (const port of made) await this.#host.files.remove(portLink(this.#host.paths, port))
      throw error
    }
  }

  async #conflict(port: number): Promise<Error> {
    return portTaken(port, (await this.holderOf(port)) ?? 'reserved by another program')
  }

  /** Points reservations that are held already at a newer version file. */
  async repoint(ports: readonly number[], version: string): Promise<void> {
    await Promise.all(
      ports.map(async port => {
        const link = portLink(this.#host.paths, port)
        if ((await this.#host.files.readLink(link)) !== version) await this.#host.files.relink(version, link)
      }),
    )
  }

  /** Gives back reservations of the container; those of others are left alone. */
  async release(id: ContainerId, ports: readonly number[]): Promise<void> {
    const owned = await this.ownedOf(id, ports)
    await Promise.all([...owned].map(port => this.#host.files.remove(portLink(this.#host.paths, port))))
  }

  /** Folders that hold these reservations, to be synced. */
  foldersOf(ports: readonly number[]): readonly string[] {
    return [...new Set(ports.map(port => portFolder(this.#host.paths, port)))]
  }
}

/** The container a reservation points at: `…/units/<aa>/ID/<request>`. */
function ownerOf(target: string): string {
  const id = folderOf(target).split('/').at(-1) ?? ''
  return isId(id) ? `container ${id}` : target
}
