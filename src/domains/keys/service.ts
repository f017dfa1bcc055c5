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
import { FormatError, openSshFingerprint, parseAuthorizedKey, type SshKey, soleKeyLine, sshKeyFingerprint } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex, type NamedStepObserver } from '../../lib/index.ts'
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

type KeyStep =
  | { readonly kind: 'storeKey'; readonly reason: string; readonly fingerprint: KeyFingerprint; readonly key: SshKey }
  | {
      readonly kind: 'permit' | 'forbid'
      readonly reason: string
      readonly id: string
      readonly fingerprint: KeyFingerprint
      readonly permission: KeyPermission
    }
  | { readonly kind: 'removeKey'; readonly reason: string; readonly fingerprint: KeyFingerprint }
  | { readonly kind: 'sync'; readonly reason: string }
  | { readonly kind: 'forgetGenerated'; readonly reason: string; readonly id: string; readonly permission: KeyPermission }
  | { readonly kind: 'endLogins'; readonly reason: string; readonly account: string; readonly permission: KeyPermission }

export class Keys {
  readonly #host: KeysHost
  readonly #store: KeyStore
  readonly #generated: GeneratedFiles
  readonly #observe: NamedStepObserver
  readonly #lock = new KeyedMutex()

  constructor(host: KeysHost, observe: NamedStepObserver = () => undefined) {
    this.#host = host
    this.#observe = observe
    this.#store = new KeyStore(host)
    this.#generated = new GeneratedFiles(host)
  }

  /** Stores keys and lets them in. Throws KEYS_FAILED with every failure in `data`, once all else is done. */
  async add(lines: readonly string[], permissions: readonly KeyPermission[], dryRun?: DryRun): Promise<void> {
    await this.#lock.run('keys', async () => {
      const absent = await this.#absent(permissions)
      const failures: KeyFailure[] = []
      const steps: KeyStep[] = []
      for (const [index, line] of lines.entries()) {
        const key = readKey(line)
        if (key instanceof FormatError) {
          failures.push({ index, message: key.message })
          continue
        }
        const fingerprint = sshKeyFingerprint(key) as KeyFingerprint
        steps.push({ kind: 'storeKey', reason: 'keys are stored once for a host', fingerprint, key })
        for (const permission of permissions) {
          const { type, id } = permission
          if (absent.has(permission)) failures.push({ index, message: `there is no ${type} ${id} on this host` })
          else steps.push({ kind: 'permit', reason: `the key is let into the ${type}`, id, fingerprint, permission })
        }
      }
      steps.push({ kind: 'sync', reason: 'the change survives a power cut' })
      for (const permission of permissions) if (!absent.has(permission)) steps.push(forgetStep(permission))
      await this.#apply(steps, dryRun)
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
  async remove(fingerprint: KeyFingerprint, place: KeyPlace, dryRun?: DryRun): Promise<void> {
    await this.#lock.run('keys', async () => {
      const all = (await this.#store.permissions(undefined)).get(fingerprint) ?? []
      const only = placesOf(place)
      const taken = only === undefined ? all : all.filter(({ type, id }) => only.some(other => other.type === type && other.id === id))
      if (taken.length === 0 && (only !== undefined || (await this.#store.read(fingerprint)) === undefined))
        throw unknownKey(fingerprint, only)
      const steps: KeyStep[] = taken.map(permission => ({
        kind: 'forbid',
        reason: `the key is taken out of the ${permission.type}`,
        id: permission.id,
        fingerprint,
        permission,
      }))
      if (taken.length === all.length) steps.push({ kind: 'removeKey', reason: 'nothing is left that it is let into', fingerprint })
      steps.push({ kind: 'sync', reason: 'the change survives a power cut' })
      for (const permission of taken) {
        const reason = 'a connection does not tell by which key it came'
        steps.push(forgetStep(permission), { kind: 'endLogins', reason, account: loginOf(permission.type, permission.id), permission })
      }
      await this.#apply(steps, dryRun)
    })
  }

  async #apply(steps: readonly KeyStep[], dryRun: DryRun | undefined): Promise<void> {
    const changed = new Set<string>()
    const note = (folders: readonly string[]): void => {
      for (const folder of folders) changed.add(folder)
    }
    await applySteps<KeyStep>(
      steps,
      {
        storeKey: async ({ key }) => note((await this.#store.write(key)).changed),
        permit: async ({ permission, fingerprint }) => note(await this.#store.permit(permission, fingerprint)),
        forbid: async ({ permission, fingerprint }) => note([await this.#store.forbid(permission, fingerprint)]),
        removeKey: async ({ fingerprint }) => note([await this.#store.remove(fingerprint)]),
        sync: () => this.#host.files.syncFolders(changed),
        forgetGenerated: ({ permission }) => this.#generated.forget(permission),
        endLogins: ({ permission }) => this.#endLogins(permission),
      },
      (step, when) => this.#observe('keys', step, when),
      dryRun,
    )
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

function forgetStep(permission: KeyPermission): KeyStep {
  return { kind: 'forgetGenerated', reason: 'sshd is told the keys anew', id: permission.id, permission }
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

function readKey(text: string): SshKey | FormatError {
  try {
    return parseAuthorizedKey(soleKeyLine(text) ?? text).key
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
