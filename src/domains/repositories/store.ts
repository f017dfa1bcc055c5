/** The record of a repository beside it on disk: what becomes of a push. Repositories without one are only kept. */
import { GearError, type RepositoryBuild, type RepositoryId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { repositoryPaths } from '../layout/index.ts'
import { parseBuild } from './repository.ts'

export async function readBuild({ files, paths }: Pick<Host, 'files' | 'paths'>, id: RepositoryId): Promise<RepositoryBuild | undefined> {
  const path = repositoryPaths(paths, id).build
  const text = await files.read(path)
  if (text === undefined) return undefined
  try {
    return parseBuild(text)
  } catch (cause) {
    throw new GearError('STORAGE_FAILED', `What becomes of a push could not be read from ${path}`, { cause })
  }
}
