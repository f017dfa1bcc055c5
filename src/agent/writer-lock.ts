/** One writer per host: the agent, or a local command while no agent runs. Whoever changes the host's state holds the lock. */
import { GearError } from '../api/index.ts'
import type { Host, Lock } from '../host/index.ts'

export function writerLockPath({ base }: { readonly base: string }): string {
  return `${base}/gear.lock`
}

/** Throws WRITER_BUSY at once when another process has it. */
export async function takeWriterLock({ files, paths }: Pick<Host, 'files' | 'paths'>): Promise<Lock> {
  const path = writerLockPath(paths)
  await files.makeFolder(paths.base, 0o755)
  const lock = await files.lock(path)
  if (lock === undefined) throw new GearError('WRITER_BUSY', `Another gear process holds ${path}`)
  return lock
}
