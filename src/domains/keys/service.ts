/** The operations on keys. What fails for one key is told by its position and keeps no other from being stored (spec §11.3). */
import {
  type ContainerId,
  GearError,
  type KeyFingerprint,
  type KeyPermission,
  loginOf,
  type RepositoryId,
  type StoredKey,
} from '../../api/index.ts'
import { FormatError, openSshFingerprint, parseAuthorizedKey, type SshKey } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { KeyedMutex } from '../../lib/index.ts'
import { GeneratedFiles } from './generated.ts'
import { KeyStore } from './store.ts'

type KeysHost = Pick<Host, 'files' | 'paths' | 'commands' | 'accounts'>

/** One container, one repository, either, or (with neither) everything. */
export interface KeyPlace {
  readonly container?: ContainerId | undefined
  readonly repository?: RepositoryId | undefined
}

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

  /** The keys that are let into a place, or all there are. */
  async list(place: KeyPlace): Promise<readonly StoredKey[]> {
    const only = placesOf(place)
    const permissions = await this.#store.permissions(only)
    const fingerprints = only === undefined ? await this.#store.fingerprints() : [...permissions.keys()].sort()
    const keys = await Promise.all(fingerprints.map(async fingerprint => ({ fingerprint, key: await this.#store.read(fingerprint) })))
    return keys.flatMap(({ fingerprint, key }) =>
      key === undefined ? [] : [storedKey(fingerprint, key, permissions.get(fingerprint) ?? [])],
    )
  }

  /**
   * Takes a key out of a place, or removes it for good. Throws KEY_UNKNOWN. Whoever is logged in by an account that it was let into is logged out,
   * since a connection does not tell by which key it came.
   */
  async remove(fingerprint: KeyFingerprint, place: KeyPlace): Promise<void> {
    await this.#lock.run('keys', async () => {
      const all = (await this.#store.permissions(undefined)).get(fingerprint) ?? []
      const only = placesOf(place)
      const taken = only === undefined ? all : all.filter(({ type, id }) => only.some(other => other.type === type && other.id === id))
      if (taken.length === 0 && (only !== undefined || (await this.#store.read(fingerprint)) === undefined))
        throw unknownKey(fingerprint, only)
      const changed = new Set<string>()
      for (const permission of taken) changed.add(await this.#store.forbid(permission, fingerprint))
      if (taken.length === all.length) changed.add(await this.#store.remove(fingerprint))
      await this.#host.files.syncFolders(changed)
      for (const permission of taken) {
        await this.#generated.forget(permission)
        await this.#endLogins(permission)
      }
    })
  }

  async #endLogins({ type, id }: KeyPermission): Promise<void> {
    const login = loginOf(type, id)
    if ((await this.#host.accounts.find(login)) !== undefined) await this.#host.accounts.endLogins(login)
  }

  async #absent(permissions: readonly KeyPermission[]): Promise<ReadonlySet<KeyPermission>> {
    const found = await Promise.all(permissions.map(permission => this.#store.exists(permission)))
    return new Set(permissions.filter((_, index) => !found[index]))
  }
}

function placesOf({ container, repository }: KeyPlace): readonly Pick<KeyPermission, 'type' | 'id'>[] | undefined {
  const places: Pick<KeyPermission, 'type' | 'id'>[] = []
  if (container !== undefined) places.push({ type: 'container', id: container })
  if (repository !== undefined) places.push({ type: 'repository', id: repository })
  return places.length === 0 ? undefined : places
}

function storedKey(fingerprint: KeyFingerprint, key: SshKey, permissions: readonly KeyPermission[]): StoredKey {
  return {
    fingerprint,
    sha256: openSshFingerprint(key),
    algorithm: key.algorithm,
    containers: permissions.flatMap(permission => (permission.type === 'container' ? [{ id: permission.id }] : [])),
    repositories: permissions.flatMap(permission =>
      permission.type === 'repository' ? [{ id: permission.id, write: permission.write }] : [],
    ),
  }
}

function unknownKey(fingerprint: KeyFingerprint, only: readonly Pick<KeyPermission, 'type' | 'id'>[] | undefined): GearError {
  const where = only === undefined ? 'stored on this host' : `let into ${only.map(({ type, id }) => `${type} ${id}`).join(' or ')}`
  return new GearError('KEY_UNKNOWN', `The key ${fingerprint} is not ${where}`)
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
