/**
 * Keys and permissions on disk (spec §5.4, §11.1, §11.2): `$BASE/keys/public/<aa>/FINGERPRINT` holds the key, links in the access folders let it in.
 * The files are public, since sshd looks keys up as nobody.
 */
import { GearError, isId, type KeyFingerprint, type KeyPermission } from '../../api/index.ts'
import { FormatError, isSshKeyFingerprint, parseAuthorizedKey, printSshKey, type SshKey, sshKeyFingerprint } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { accessFolders, containerPaths, folderOf, keyFile, keyFolder, modes, repositoryPaths } from '../layout/index.ts'

export class KeyStore {
  readonly #host: Pick<Host, 'files' | 'paths'>

  constructor(host: Pick<Host, 'files' | 'paths'>) {
    this.#host = host
  }

  /** Whether what a permission is for is there. */
  exists(permission: KeyPermission): Promise<boolean> {
    const { files, paths } = this.#host
    return files.exists(
      permission.type === 'container' ? containerPaths(paths, permission.id).unit : repositoryPaths(paths, permission.id).repository,
    )
  }

  /** Stores a key. Returns the folders to sync; none when it is there already. */
  async write(key: SshKey): Promise<{ readonly fingerprint: KeyFingerprint; readonly changed: readonly string[] }> {
    const { files, paths } = this.#host
    const fingerprint = sshKeyFingerprint(key) as KeyFingerprint
    const path = keyFile(paths, fingerprint)
    const text = printSshKey(key)
    const present = await files.read(path)
    if (present === text) return { fingerprint, changed: [] }
    // The name is a digest of the content, so another content is damage, and not for a caller to repair.
    if (present !== undefined) throw new GearError('STORAGE_FAILED', `${path} holds something else than the key of this fingerprint`)
    const changed = await files.makeFolder(folderOf(path), modes.unitFolder)
    await files.write(path, text, modes.unitFile)
    return { fingerprint, changed: [folderOf(path), ...changed] }
  }

  /** Lets a key in. A key that may read and write has one link, so the other goes first. Returns the folders to sync. */
  async permit(permission: KeyPermission, fingerprint: KeyFingerprint): Promise<readonly string[]> {
    const { files, paths } = this.#host
    const target = keyFile(paths, fingerprint)
    const folder = accessFolder(this.#host, permission)
    const changed = new Set(await files.makeFolder(folder, modes.unitFolder))
    const opposite = permission.type === 'container' ? undefined : `${fingerprint}${permission.write ? '.read' : '.write'}`
    if (opposite !== undefined && (await files.remove(`${folder}/${opposite}`))) changed.add(folder)
    const link = `${folder}/${linkName(permission, fingerprint)}`
    if ((await files.readLink(link)) !== target) {
      await files.relink(target, link)
      changed.add(folder)
    }
    return [...changed]
  }

  /** The key of a fingerprint. What is stored under it and is no key counts as none. */
  async read(fingerprint: KeyFingerprint): Promise<SshKey | undefined> {
    const text = await this.#host.files.read(keyFile(this.#host.paths, fingerprint))
    try {
      return text === undefined ? undefined : parseAuthorizedKey(text).key
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }

  /** The fingerprints of all keys that are stored, sorted. */
  async fingerprints(): Promise<readonly KeyFingerprint[]> {
    const { files, paths } = this.#host
    const parts = await files.list(keyFolder(paths))
    const names = await Promise.all(parts.map(({ name }) => files.list(`${keyFolder(paths)}/${name}`)))
    return names
      .flat()
      .map(({ name }) => name)
      .filter(isSshKeyFingerprint)
      .sort() as KeyFingerprint[]
  }

  /** What keys are let into, by fingerprint: all there is, or only what is told. */
  async permissions(
    only: readonly Pick<KeyPermission, 'type' | 'id'>[] | undefined,
  ): Promise<ReadonlyMap<KeyFingerprint, KeyPermission[]>> {
    const places = only ?? [...(await this.#places('container')), ...(await this.#places('repository'))]
    const found = new Map<KeyFingerprint, KeyPermission[]>()
    const lists = await Promise.all(places.map(place => this.#permissionsOf(place)))
    for (const [fingerprint, permission] of lists.flat()) {
      const permissions = found.get(fingerprint)
      if (permissions === undefined) found.set(fingerprint, [permission])
      else permissions.push(permission)
    }
    return found
  }

  /** Takes a key out of a container or repository. Returns the folder to sync. */
  async forbid(permission: KeyPermission, fingerprint: KeyFingerprint): Promise<string> {
    const folder = accessFolder(this.#host, permission)
    await this.#host.files.remove(`${folder}/${linkName(permission, fingerprint)}`)
    return folder
  }

  /** Removes a key that is let in nowhere any more. Returns the folder to sync. */
  async remove(fingerprint: KeyFingerprint): Promise<string> {
    const path = keyFile(this.#host.paths, fingerprint)
    await this.#host.files.remove(path)
    return folderOf(path)
  }

  async #places(type: KeyPermission['type']): Promise<readonly Pick<KeyPermission, 'type' | 'id'>[]> {
    const { files, paths } = this.#host
    const folder = accessFolders(paths)[type]
    const parts = await files.list(folder)
    const names = await Promise.all(parts.map(({ name }) => files.list(`${folder}/${name}`)))
    return names.flat().flatMap(({ name }) => (isId(name) ? [{ type, id: name }] : []))
  }

  async #permissionsOf(place: Pick<KeyPermission, 'type' | 'id'>): Promise<readonly (readonly [KeyFingerprint, KeyPermission])[]> {
    const entries = await this.#host.files.list(accessFolder(this.#host, place))
    return entries.flatMap(({ name }) => {
      const [, fingerprint = '', kind] = /^([^.]*)(?:\.(read|write))?$/.exec(name) ?? []
      if (!isSshKeyFingerprint(fingerprint) || (kind === undefined) !== (place.type === 'container')) return []
      const permission: KeyPermission =
        place.type === 'container' ? { type: place.type, id: place.id } : { type: place.type, id: place.id, write: kind === 'write' }
      return [[fingerprint as KeyFingerprint, permission] as const]
    })
  }
}

function accessFolder({ paths }: Pick<Host, 'paths'>, permission: Pick<KeyPermission, 'type' | 'id'>): string {
  return permission.type === 'container' ? containerPaths(paths, permission.id).access : repositoryPaths(paths, permission.id).access
}

function linkName(permission: KeyPermission, fingerprint: KeyFingerprint): string {
  return permission.type === 'container' ? fingerprint : `${fingerprint}${permission.write ? '.write' : '.read'}`
}
