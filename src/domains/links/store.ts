/** The links on disk: `$BASE/ports/links/<aa>/ID` (spec §9.1), and what the helper says became of them, below `$RUN`. */
import { type ContainerId, GearError } from '../../api/index.ts'
import { FormatError, type NetworkLink, parseNetworkLinkFile, printNetworkLinkFile } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { containerPaths, modes } from '../layout/index.ts'
import { type AppliedLink, parseApplied } from './link.ts'

export class LinkStore {
  readonly #host: Pick<Host, 'files' | 'paths'>

  constructor(host: Pick<Host, 'files' | 'paths'>) {
    this.#host = host
  }

  /** Undefined when there is no file. Throws STORAGE_FAILED when somebody has made it unreadable. */
  async read(id: ContainerId): Promise<readonly NetworkLink[] | undefined> {
    const { links } = containerPaths(this.#host.paths, id)
    const text = await this.#host.files.read(links)
    if (text === undefined) return undefined
    try {
      return parseNetworkLinkFile(text)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      throw new GearError('STORAGE_FAILED', `The links of ${id} in ${links} cannot be read`, { cause: error })
    }
  }

  /** Replaces the links, durably. */
  async write(id: ContainerId, links: readonly NetworkLink[]): Promise<void> {
    const { files, paths } = this.#host
    const { links: path, linksFolder } = containerPaths(paths, id)
    const changed = await files.makeFolder(linksFolder, modes.secretFolder)
    await files.write(path, printNetworkLinkFile(links), modes.secretFile)
    await files.syncFolders([linksFolder, ...changed])
  }

  async applied(id: ContainerId): Promise<readonly AppliedLink[]> {
    return parseApplied((await this.#host.files.read(containerPaths(this.#host.paths, id).linksApplied)) ?? '')
  }

  isInstalled(id: ContainerId): Promise<boolean> {
    return this.#host.files.exists(containerPaths(this.#host.paths, id).unit)
  }
}
