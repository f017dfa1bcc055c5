/** Looking at what the host has of a repository, whole or half made. Changes nothing. */
import { idOfAccount, loginOf, type RepositoryId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { repositoryPaths } from '../layout/index.ts'
import type { FoundRepository } from './plan.ts'

export async function lookAtRepository(host: Pick<Host, 'files' | 'accounts' | 'paths'>, id: RepositoryId): Promise<FoundRepository> {
  const paths = repositoryPaths(host.paths, id)
  const login = loginOf('repository', id)
  // what an attempt that broke off has left beside its home, and the next one must not take for its own
  const said = [paths.build, paths.githost, paths.lentKey, paths.knownHosts]
  const [exists, hasUnfinished, hasHome, hasAccess, hasCheckout, hasCloneKey, hasDeploys, account, areSaid] = await Promise.all([
    host.files.exists(paths.repository),
    host.files.exists(paths.unfinished),
    host.files.exists(paths.homeFolder),
    host.files.exists(paths.access),
    host.files.exists(paths.checkout),
    host.files.exists(paths.cloneKey),
    host.files.exists(paths.deploys),
    host.accounts.find(login),
    Promise.all(said.map(path => host.files.exists(path))),
  ])
  // Somebody else's account of this name is not ours to remove; making one says that the name is taken.
  const hasAccount = account !== undefined && idOfAccount('repository', account) === id
  const records = said.filter((_, index) => areSaid[index] === true)
  return { paths, login, exists, hasUnfinished, hasAccount, hasHome, hasAccess, hasCheckout, hasCloneKey, hasDeploys, records }
}
