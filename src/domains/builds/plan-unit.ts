/** What an agent does for a build: begin it and stop it. What the build itself does is planned by the build (plan.ts). Pure. */
import type { UnitName } from '../../api/index.ts'
import type { BuildRecord } from './record.ts'

export type BeginStep = { readonly reason: string } & (
  | { readonly kind: 'forgetBuild' | 'keepRequest'; readonly path: string }
  | { readonly kind: 'runUnit'; readonly unit: UnitName }
)

interface BeginFacts {
  /** Of the build. */
  readonly folder: string
  readonly unit: UnitName
  /** Folders of builds that have ended, for which there is no room any more. */
  readonly forgotten: readonly string[]
}

export function planBegin({ folder, unit, forgotten }: BeginFacts): readonly BeginStep[] {
  return [
    ...forgotten.map((path): BeginStep => ({ kind: 'forgetBuild', path, reason: 'only the last builds are kept' })),
    { kind: 'keepRequest', path: folder, reason: 'the build goes on by it, whatever becomes of the agent' },
    { kind: 'runUnit', unit, reason: 'a build was asked for' },
  ]
}

export interface StopStep {
  readonly kind: 'stopUnit'
  readonly unit: UnitName
  readonly reason: string
}

/** One that has ended is stopped already. */
export function planStop({ result }: Pick<BuildRecord, 'result'>, unit: UnitName): readonly StopStep[] {
  return result === 'running' ? [{ kind: 'stopUnit', unit, reason: 'a stop was asked for; nothing of the build is left' }] : []
}
