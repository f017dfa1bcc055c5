/** What gear claims of its speed and size, by the name under which each claim is measured. One file a claim, read where it is measured. */
import type { Measurement } from '../finding.ts'

export const claims: Readonly<Record<string, () => Promise<{ readonly measure: () => Promise<readonly Measurement[]> }>>> = {
  'new-containers': () => import('./new-containers.ts'),
  reads: () => import('./reads.ts'),
  changes: () => import('./changes.ts'),
  sixteen: () => import('./sixteen.ts'),
  reloads: () => import('./reloads.ts'),
  serving: () => import('./serving.ts'),
  memory: () => import('./memory.ts'),
  commands: () => import('./commands.ts'),
}
