/**
 * What the units that make and remove repositories do: `gear init-repo`. It is no part of the agent's process, which may be stopped meanwhile and
 * may not change accounts.
 */
import type { RepositoryBuild, RepositoryId } from '../api/index.ts'
import { makeRepository, removeRepository } from '../domains/index.ts'
import type { CloneSource } from '../formats/index.ts'
import { linuxHost } from '../host/index.ts'
import { hostPaths, loadConfig } from './config.ts'

export interface RepositoryWork {
  readonly id: RepositoryId
  readonly source: CloneSource | undefined
  readonly build: RepositoryBuild | undefined
  readonly isRemoval: boolean
  readonly mayRedirect: boolean
  /** Is given what git says, line by line. */
  readonly say: (line: string) => void
}

export async function workOnRepository({ id, source, build, isRemoval, mayRedirect, say }: RepositoryWork): Promise<void> {
  const host = linuxHost({ paths: hostPaths(loadConfig({}).config) })
  try {
    if (isRemoval) await removeRepository(host, id)
    else await makeRepository(host, { id, source, build, mayRedirect }, { say })
  } finally {
    await host.units.close()
  }
}
