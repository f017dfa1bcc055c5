/**
 * What the units that make and remove repositories do: `gear init-repo`. It is no part of the agent's process, which may be stopped meanwhile and
 * may not change accounts.
 */
import type { EngineKind, HostKeyFingerprint, ImageName, RepositoryBuild, RepositoryId } from '../api/index.ts'
import { makeRepository, removeRepository } from '../domains/index.ts'
import type { CloneSource } from '../formats/index.ts'
import { linuxHost } from '../host/index.ts'
import { hostPaths, loadConfig } from './config.ts'

export interface RepositoryWork {
  readonly id: RepositoryId
  readonly source: CloneSource | undefined
  readonly build: RepositoryBuild | undefined
  /** The image in a container of which git serves it, and the engine for that: the host's unless given. */
  readonly githost: ImageName | undefined
  readonly engine: EngineKind | undefined
  readonly isRemoval: boolean
  /** By which the host of an ssh source is known. */
  readonly hostKey: HostKeyFingerprint | undefined
  readonly mayReachHost: boolean
  /** Is given what git says, line by line. */
  readonly say: (line: string) => void
}

export async function workOnRepository({ id, isRemoval, githost: image, engine, say, ...wanted }: RepositoryWork): Promise<void> {
  const { config } = loadConfig({})
  const host = linuxHost({ paths: hostPaths(config), engine: engine ?? config.engine })
  try {
    if (isRemoval) await removeRepository(host, id)
    else {
      const githost = image === undefined ? undefined : { image, engine: (await host.engines.choose()).kind }
      await makeRepository(host, { id, ...wanted, githost }, { say })
    }
  } finally {
    await host.units.close()
  }
}
