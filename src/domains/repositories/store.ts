/** What is kept of a repository beside it on disk: what becomes of a push, where git runs, and the deployments that are not at their end. */
import { GearError, isId, type RepositoryBuild, type RepositoryId, type RequestId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { deploysPrefix, folderOf, modes, repositoriesFolder, repositoryPaths } from '../layout/index.ts'
import { type Deploys, type Githost, parseBuild, parseDeploys, parseGithost, printDeploys } from './repository.ts'

type StoreHost = Pick<Host, 'files' | 'paths'>

/** Undefined for repositories that are only kept. */
export function readBuild(host: StoreHost, id: RepositoryId): Promise<RepositoryBuild | undefined> {
  return read(host, { path: repositoryPaths(host.paths, id).build, what: 'What becomes of a push', parse: parseBuild })
}

/** Undefined for repositories that git serves on the host itself. */
export function readGithost(host: StoreHost, id: RepositoryId): Promise<Githost | undefined> {
  return read(host, { path: repositoryPaths(host.paths, id).githost, what: 'Where git runs', parse: parseGithost })
}

interface StoredRecord<Value> {
  readonly path: string
  readonly what: string
  readonly parse: (text: string) => Value
}

async function read<Value>({ files }: StoreHost, { path, what, parse }: StoredRecord<Value>): Promise<Value | undefined> {
  const text = await files.read(path)
  if (text === undefined) return undefined
  try {
    return parse(text)
  } catch (cause) {
    throw new GearError('STORAGE_FAILED', `${what} could not be read from ${path}`, { cause })
  }
}

const noDeploys: Deploys = { requests: [] }

/** A record that somebody has spoiled holds nothing that could be taken up. */
export async function readDeploys({ files, paths }: StoreHost, id: RepositoryId): Promise<Deploys> {
  const text = await files.read(repositoryPaths(paths, id).deploys)
  try {
    return text === undefined ? noDeploys : parseDeploys(text)
  } catch (error) {
    if (error instanceof SyntaxError) return noDeploys
    throw error
  }
}

export async function writeDeploys({ files, paths }: StoreHost, id: RepositoryId, deploys: Deploys): Promise<void> {
  const path = repositoryPaths(paths, id).deploys
  if (deploys.requests.length === 0) await files.remove(path)
  else await files.write(path, printDeploys(deploys), modes.publicFile)
  await files.syncFolders([folderOf(path)])
}

/** Deployments that an agent began and none has ended, those of one repository in the order they came. */
export async function undoneDeploys(host: StoreHost): Promise<readonly { readonly id: RepositoryId; readonly requestId: RequestId }[]> {
  const entries = await host.files.list(repositoriesFolder(host.paths))
  const ids = entries.flatMap(({ name }) => {
    const id = name.startsWith(deploysPrefix) ? name.slice(deploysPrefix.length) : ''
    return isId(id) ? [id] : []
  })
  const undone = await Promise.all(ids.map(async id => ({ id, ...(await readDeploys(host, id)) })))
  return undone.flatMap(({ id, requests }) => requests.map(requestId => ({ id, requestId })))
}
