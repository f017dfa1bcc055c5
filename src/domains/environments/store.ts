/**
 * Environments on disk: `$BASE/env/contents/<aa>/ID`, one raw `NAME=VALUE` a line (spec §5.4), readable for root only. The engine reads the file
 * itself (`--env-file`); values pass through no shell, no unit file and no log.
 */
import { type EnvironmentId, GearError, isEnvironmentId, limits, partition, type Variable } from '../../api/index.ts'
import { printEnvironment } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { environmentFile, environmentFolder, environmentsFolder, modes } from '../layout/index.ts'

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

  /** The ids of all that are stored, sorted; one folder listing per partition. */
  async list(): Promise<readonly EnvironmentId[]> {
    const { files, paths } = this.#host
    const root = environmentsFolder(paths)
    const partitions = (await files.list(root)).filter(entry => entry.kind === 'directory')
    const listings = await Promise.all(partitions.map(async ({ name }) => ({ name, entries: await files.list(`${root}/${name}`) })))
    return listings
      .flatMap(({ name, entries }) =>
        entries.flatMap(entry =>
          entry.kind === 'file' && isEnvironmentId(entry.name) && partition(entry.name) === name ? [entry.name] : [],
        ),
      )
      .sort()
  }

  exists(id: EnvironmentId): Promise<boolean> {
    return this.#host.files.exists(this.path(id))
  }

  /** Replaces the content. Returns the folders to sync. */
  async write(id: EnvironmentId, variables: readonly Variable[]): Promise<readonly string[]> {
    const text = printEnvironment(variables)
    requireRoom(id, Buffer.byteLength(text))
    const changed = await this.#host.files.makeFolder(this.folder(id), modes.secretFolder)
    await this.#host.files.write(this.path(id), text, modes.secretFile)
    return [this.folder(id), ...changed]
  }

  /** Adds lines; older values stay in the file, later ones win. Returns the folders to sync. */
  async append(id: EnvironmentId, variables: readonly Variable[]): Promise<readonly string[]> {
    const present = (await this.read(id)) ?? ''
    // Whoever edited the file may have left its last line without an end.
    const text = (present === '' || present.endsWith('\n') ? '' : '\n') + printEnvironment(variables)
    requireRoom(id, Buffer.byteLength(present) + Buffer.byteLength(text))
    const changed = await this.#host.files.makeFolder(this.folder(id), modes.secretFolder)
    await this.#host.files.append(this.path(id), text, modes.secretFile)
    return [this.folder(id), ...changed]
  }

  /** The folder stays, also when it is empty: somebody may be about to make a file in it. */
  async remove(id: EnvironmentId): Promise<void> {
    await this.#host.files.remove(this.path(id))
  }
}

function requireRoom(id: EnvironmentId, sizeBytes: number): void {
  if (sizeBytes <= limits.environmentFileBytes) return
  throw new GearError('INPUT_INVALID', `environment ${id} would have more than ${limits.environmentFileBytes} bytes`)
}
