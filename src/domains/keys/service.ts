/** The operations on keys. What fails for one key is told by its position and keeps no other from being stored (spec §11.3). */
import { GearError, type KeyPermission } from '../../api/index.ts'
import { FormatError, parseAuthorizedKey, type SshKey } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { KeyedMutex } from '../../lib/index.ts'
import { GeneratedFiles } from './generated.ts'
import { KeyStore } from './store.ts'

type KeysHost = Pick<Host, 'files' | 'paths' | 'commands'>

/** In the words of the wire, which the original's clients read. */
interface KeyFailure {
  readonly index: number
  readonly message: string
}

export class Keys {
  readonly #host: KeysHost
  readonly #store: KeyStore
  readonly #generated: GeneratedFiles
  readonly #lock = new KeyedMutex()

  constructor(host: KeysHost) {
    this.#host = host
    this.#store = new KeyStore(host)
    this.#generated = new GeneratedFiles(host)
  }

  /** Stores keys and lets them in. Throws KEYS_FAILED with every failure in `data`, once all else is done. */
  async add(lines: readonly string[], permissions: readonly KeyPermission[]): Promise<void> {
    await this.#lock.run('keys', async () => {
      const absent = await this.#absent(permissions)
      const failures: KeyFailure[] = []
      const changed = new Set<string>()
      for (const [index, line] of lines.entries()) {
        const key = readKey(line)
        if (key instanceof FormatError) {
          failures.push({ index, message: key.message })
          continue
        }
        const written = await this.#store.write(key)
        for (const folder of written.changed) changed.add(folder)
        for (const permission of permissions) {
          if (absent.has(permission)) failures.push({ index, message: `there is no ${permission.type} ${permission.id} on this host` })
          else for (const folder of await this.#store.permit(permission, written.fingerprint)) changed.add(folder)
        }
      }
      await this.#host.files.syncFolders(changed)
      for (const permission of permissions) if (!absent.has(permission)) await this.#generated.forget(permission)
      if (failures.length > 0) throw keysFailed(failures, lines.length)
    })
  }

  async #absent(permissions: readonly KeyPermission[]): Promise<ReadonlySet<KeyPermission>> {
    const found = await Promise.all(permissions.map(permission => this.#store.exists(permission)))
    return new Set(permissions.filter((_, index) => !found[index]))
  }
}

function readKey(line: string): SshKey | FormatError {
  try {
    return parseAuthorizedKey(line).key
  } catch (error) {
    if (error instanceof FormatError) return error
    throw error
  }
}

const failuresToldMax = 5

function keysFailed(failures: readonly KeyFailure[], count: number): GearError {
  const told = failures.slice(0, failuresToldMax).map(({ index, message }) => `key ${index + 1}: ${message}`)
  if (failures.length > told.length) told.push(`and ${failures.length - told.length} more`)
  const failed = new Set(failures.map(({ index }) => index)).size
  return new GearError('KEYS_FAILED', `${failed} of ${count} keys could not be added: ${told.join('; ')}`, { data: failures })
}
