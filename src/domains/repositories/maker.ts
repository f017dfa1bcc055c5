/**
 * Making and removing repositories: what the transient units do, as root, outside of the agent, which may not change accounts. One at a time per
 * repository, whoever began it: a lock on disk is held until the process ends.
 */
import { GearError, type RepositoryId } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { repositoryPaths } from '../layout/index.ts'
import { applyRepositoryPlan, type Telling } from './apply.ts'
import { type PublicKey, publicKeyOf } from './clone-key.ts'
import { lookAtRepository } from './look.ts'
import { planKey, planMake, planRemove, type WantedRepository } from './plan.ts'
import { openProgressNote } from './progress.ts'

/** Makes a repository. Throws REPOSITORY_EXISTS, and what it failed with; then nothing is left but the key with which it is cloned. */
export async function makeRepository(
  host: Host,
  { id, ...wanted }: WantedRepository & { readonly id: RepositoryId },
  { say }: Pick<Telling, 'say'>,
): Promise<void> {
  await using _ = await takeLock(host, id)
  const found = await lookAtRepository(host, id)
  if (found.exists) throw repositoryExists(id)
  await using note = await openProgressNote(host, id)
  await applyRepositoryPlan(host, planMake(found, wanted), { say, onProgress: note.onProgress })
}

/** The public half of the key with which it is cloned; the key is made where there is none. */
export async function makeRepositoryKey(host: Host, id: RepositoryId, observe?: Telling['observe']): Promise<PublicKey> {
  const { paths, hasCloneKey } = await lookAtRepository(host, id)
  if (!hasCloneKey) {
    await using _ = await takeLock(host, id)
    await applyRepositoryPlan(host, planKey(await lookAtRepository(host, id)), { say: () => undefined, observe })
  }
  return publicKeyOf(host, paths.cloneKey)
}

/** Removes a repository, or what is left of one. False when there was nothing. */
export async function removeRepository(host: Host, id: RepositoryId): Promise<boolean> {
  await using _ = await takeLock(host, id)
  const steps = planRemove(await lookAtRepository(host, id))
  await applyRepositoryPlan(host, steps, { say: () => undefined })
  return steps.length > 0
}

export function repositoryExists(id: RepositoryId): GearError {
  return new GearError('REPOSITORY_EXISTS', `There is a repository ${id} already`)
}

/** The file goes with the lock. Who opened it before that and locks it then is alone as well, or finds all done. */
async function takeLock(host: Host, id: RepositoryId): Promise<AsyncDisposable> {
  const lock = await host.files.lock(repositoryPaths(host.paths, id).lock)
  if (lock === undefined) throw new GearError('REPOSITORY_BUSY', `Repository ${id} is being made or removed by another process`)
  return {
    [Symbol.asyncDispose]: async () => {
      await host.files.remove(lock.path)
      await lock[Symbol.asyncDispose]()
    },
  }
}
