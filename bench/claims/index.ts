/** What gear claims of its speed and size, by the name under which each claim is measured. One file a claim, read where it is measured. */
import type { Measurement } from '../finding.ts'

interface Claim {
  readonly measure: () => Promise<readonly Measurement[]>
  /** The hosts it needs, the measuring one first; one unless it says more. Agents of several serve each other without a token. */
  readonly hosts?: readonly [string, ...string[]]
}

export const claims: Readonly<Record<string, () => Promise<Claim>>> = {
  'new-containers': () => import('./new-containers.ts'),
  reads: () => import('./reads.ts'),
  links: () => import('./links.ts'),
  changes: () => import('./changes.ts'),
  sixteen: () => import('./sixteen.ts'),
  reloads: () => import('./reloads.ts'),
  serving: () => import('./serving.ts'),
  'serving-podman': async () => ({ measure: async () => (await import('./serving.ts')).serving('podman') }),
  memory: () => import('./memory.ts'),
  'memory-podman': async () => ({ measure: async () => (await import('./memory.ts')).memoryBeside('podman') }),
  commands: () => import('./commands.ts'),
  log: () => import('./log.ts'),
  idle: () => import('./idle.ts'),
  deploy: () => import('./deploy.ts'),
  cloning: () => import('./cloning.ts'),
  logins: () => import('./logins.ts'),
  builds: () => import('./builds.ts'),
}
