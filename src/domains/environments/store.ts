/**
 * Environments on disk: `$BASE/env/contents/<aa>/ID`, one raw `NAME=VALUE` a line (spec §5.4), readable for root only. The engine reads the file
 * itself (`--env-file`); values pass through no shell, no unit file and no log.
 */
import { type EnvironmentId, GearError, limits, type Variable } from '../../api/index.ts'
import { printEnvironment } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { environmentFile, environmentFolder, modes } from '../layout/index.ts'

export class EnvironmentStore {
  readonly #host: Pick<Host, 'files' | 'paths'>

  constructor(host: Pick<Host, 'files' | 'paths'>) {
    this.#host = host
  }

  path(id: EnvironmentId): string {
    return environmentFile(this.#host.paths, id)
  }

  folder(id: EnvironmentId): string {
    return environmentFolder(this.#host.paths, id)
  }

  read(id: EnvironmentId): Promise<string | undefined> {
    return this.#host.files.read(this.path(id), limits.environmentFileBytes)
  }

  exists(id: EnvironmentId): Promise<boolean> {
    return this.#host.files.exists(this.path(id))
  }

  /** Replaces the content. The folder is to be synced afterwards. */
  async write(id: EnvironmentId, variables: readonly Variable[]): Promise<void> {
    await this.#host.files.makeFolder(this.folder(id), modes.secretFolder)
    await this.#host.files.write(this.path(id), printEnvironment(variables), modes.secretFile)
  }

  /** Adds lines; older values stay in the file, later ones win. */
  async append(id: EnvironmentId, variables: readonly Variable[]): Promise<void> {
    const text = printEnvironment(variables)
    const present = (await this.read(id))?.length ?? 0
    if (present + text.length > limits.environmentFileBytes) {
      throw new GearError(
        'INPUT_INVALID',
        `environment ${id} would grow beyond ${limits.environmentFileBytes} bytes; replace it instead of adding`,
      )
    }
    await this.#host.files.makeFolder(this.folder(id), modes.secretFolder)
    await this.#host.files.append(this.path(id), text, modes.secretFile)
  }

  async remove(id: EnvironmentId): Promise<void> {
    await this.#host.files.remove(this.path(id))
    await this.#host.files.removeEmptyFolder(this.folder(id))
  }
}
