/** Looking at what the host has of a repository, whole or half made. Changes nothing. */
import { idOfAccount, loginOf, type RepositoryId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { repositoryPaths } from '../layout/index.ts'
import type { FoundRepository } from './plan.ts'

export async function lookAtRepository(host: Pick<Host, 'files' | 'accounts' | 'paths'>, id: RepositoryId): Promise<FoundRepository> {
  const paths = repositoryPaths(host.paths, id)
  const login = loginOf('repository', id)
  const [exists, hasUnfinished, hasHome, hasAccess, hasCheckout, hasDeploys, hasBuild, hasGithost, account] = await Promise.all([
    host.files.exists(paths.repository),
    host.files.exists(paths.unfinished),
    host.files.exists(paths.homeFolder),
    host.files.exists(paths.access),
    host.files.exists(paths.checkout),
    host.files.exists(paths.deploys),
    host.files.exists(paths.build),
    host.files.exists(paths.githost),
    host.accounts.find(login),
  ])
  // Somebody else's account of this name is not ours to remove; making one says that the name is taken.
  const hasAccount = account !== undefined && idOfAccount('repository', account) === id
  const records = [...(hasBuild ? [paths.build] : []), ...(hasGithost ? [paths.githost] : [])]
  return { paths, login, exists, hasUnfinished, hasAccount, hasHome, hasAccess, hasCheckout, hasDeploys, records }
}
