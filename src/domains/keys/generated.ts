/**
 * The authorized_keys files in the homes of accounts, which the original generates (spec §11.2, §11.4). sshd as gear sets it up reads none of
 * them, but one that is set up as before would: what is out of date is removed. The folder belongs to the account, which could have put a link
 * in place of anything in it, so the removal is done as the account and can reach nothing that is not its own.
 */
import { GearError, type KeyPermission, loginOf } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { containerPaths, repositoryPaths } from '../layout/index.ts'

export class GeneratedFiles {
  readonly #host: Pick<Host, 'files' | 'paths' | 'commands'>

  constructor(host: Pick<Host, 'files' | 'paths' | 'commands'>) {
    this.#host = host
  }

  /** Removes the file of the account that a permission is for; nothing when there is none. */
  async forget({ type, id }: Pick<KeyPermission, 'type' | 'id'>): Promise<void> {
    const { files, paths, commands } = this.#host
    const home = type === 'container' ? `${containerPaths(paths, id).home}/home` : repositoryPaths(paths, id).home
    const path = `${home}/.ssh/authorized_keys`
    if (!(await files.exists(path))) return
    const login = loginOf(type, id)
    const { exitCode, stderr } = await commands.run('runuser', ['-u', login, '--', '/bin/rm', '-f', path])
    if (exitCode !== 0) throw new GearError('STORAGE_FAILED', `${path} could not be removed as ${login}: ${stderr.trim()}`)
  }
}
