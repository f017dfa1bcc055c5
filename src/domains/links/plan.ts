/** What has to be done for the links of one container, as steps with reasons. Pure. */
import { type ContainerId, linksUnit, type UnitName } from '../../api/index.ts'
import type { NetworkLink } from '../../formats/index.ts'

export type LinkStep =
  | { readonly kind: 'storeLinks'; readonly reason: string; readonly id: ContainerId; readonly links: readonly NetworkLink[] }
  | { readonly kind: 'applyLinks'; readonly reason: string; readonly unit: UnitName }

export interface WantedLinks {
  readonly id: ContainerId
  readonly links: readonly NetworkLink[]
  /** The container runs or is about to. */
  readonly isUp: boolean
}

/** Links that are as they were are applied again all the same: their names may have other addresses by now. */
export function planLinks({ id, links, isUp }: WantedLinks): readonly LinkStep[] {
  const steps: LinkStep[] = [{ kind: 'storeLinks', reason: 'links are applied at every start', id, links }]
  if (isUp) steps.push({ kind: 'applyLinks', reason: 'it runs, and gets its links without a restart', unit: linksUnit(id) })
  return steps
}
