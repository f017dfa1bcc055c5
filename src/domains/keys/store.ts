/**
 * Keys and permissions on disk (spec §5.4, §11.1, §11.2): `$BASE/keys/public/<aa>/FINGERPRINT` holds the key, links in the access folders let it in.
 * The files are public, since sshd looks keys up as nobody.
 */
import { GearError, type KeyFingerprint, type KeyPermission } from '../../api/index.ts'
import { printSshKey, type SshKey, sshKeyFingerprint } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { containerPaths, folderOf, keyFile, modes, repositoryPaths } from '../layout/index.ts'

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
}

function accessFolder({ paths }: Pick<Host, 'paths'>, permission: KeyPermission): string {
  return permission.type === 'container' ? containerPaths(paths, permission.id).access : repositoryPaths(paths, permission.id).access
}

function linkName(permission: KeyPermission, fingerprint: KeyFingerprint): string {
  return permission.type === 'container' ? fingerprint : `${fingerprint}${permission.write ? '.write' : '.read'}`
}
