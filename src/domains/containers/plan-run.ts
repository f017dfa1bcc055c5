/** What a start, a restart, a stop and a purge have to do: to the unit, and to what brings it back at boot. Pure, as `plan.ts`. */
import { type ContainerId, containerUnit, GearError } from '../../api/index.ts'
import type { ListedUnit, UnitStatus } from '../../host/index.ts'
import { folderOf } from '../layout/index.ts'
import { isAtRest } from './look.ts'
import { type ContainerStep, type Found, linkSteps } from './plan.ts'

type RunStatus = Pick<UnitStatus, 'activeState' | 'subState' | 'needsReload'>

/** No step `start` when it runs or starts already. */
export function planStart(id: ContainerId, found: Found, status: RunStatus): readonly ContainerStep[] {
  const steps: ContainerStep[] = [...bootSteps(found)]
  const isUp = ['active', 'activating', 'reloading'].includes(status.activeState) && status.subState !== 'auto-restart'
  if (isUp) return steps
  return [...steps, ...reloadSteps(status), { kind: 'start', reason: 'a start was asked for', unit: containerUnit(id) }]
}

/** Throws CONTAINER_CHANGING while it is being started. */
export function planRestart(id: ContainerId, found: Found, status: RunStatus): readonly ContainerStep[] {
  if (status.activeState === 'activating' && status.subState !== 'auto-restart') {
    throw new GearError('CONTAINER_CHANGING', `Container ${id} is being started already`, { retryAfterSeconds: 1 })
  }
  return [...bootSteps(found), ...reloadSteps(status), { kind: 'restart', reason: 'a restart was asked for', unit: containerUnit(id) }]
}

/** `loaded` is undefined for a unit that systemd has not loaded, and that is therefore stopped. No step `queueStop` then, nor when it is stopping. */
export function planStop(
  id: ContainerId,
  found: Found,
  loaded: Pick<ListedUnit, 'activeState' | 'jobType'> | undefined,
): readonly ContainerStep[] {
  const steps: ContainerStep[] = []
  if (found.boot !== undefined) {
    steps.push({ kind: 'removeFile', reason: 'a stopped container does not come back at boot', path: found.paths.boot })
  }
  steps.push(...syncSteps(steps))
  const state = { activeState: loaded?.activeState ?? 'inactive', hasJob: loaded?.jobType !== undefined }
  const isDown = isAtRest(state) || (state.activeState === 'deactivating' && !state.hasJob)
  if (!isDown) steps.push({ kind: 'queueStop', reason: 'a stop was asked for', unit: containerUnit(id) })
  return steps
}

/** Stopped and disabled; its files stay (spec §4.12). */
export function planPurge(id: ContainerId, found: Found, status: Pick<UnitStatus, 'activeState' | 'hasJob'>): readonly ContainerStep[] {
  const { paths } = found
  const steps: ContainerStep[] = []
  if (found.boot !== undefined) steps.push({ kind: 'removeFile', reason: 'it must not come back at boot', path: paths.boot })
  if (!isAtRest(status)) steps.push({ kind: 'stop', reason: 'it runs', unit: containerUnit(id) })
  if (found.wanted !== undefined) steps.push({ kind: 'removeFile', reason: 'it is disabled', path: paths.wanted })
  if (found.systemdUnit !== undefined) steps.push({ kind: 'removeFile', reason: 'it is disabled', path: paths.systemdUnit })
  return [...steps, ...syncSteps(steps)]
}

/** Links a started unit needs, made durable; nothing when they are there. */
function bootSteps(found: Found): readonly ContainerStep[] {
  const steps = linkSteps(found, true)
  return [...steps, ...syncSteps(steps)]
}

function reloadSteps({ needsReload }: RunStatus): readonly ContainerStep[] {
  return needsReload ? [{ kind: 'reload', reason: 'systemd holds an older version of the unit' }] : []
}

/** Makes durable what the steps do to files and links. */
function syncSteps(steps: readonly ContainerStep[]): readonly ContainerStep[] {
  const folders = steps.flatMap(step => (step.kind === 'linkUnit' || step.kind === 'removeFile' ? [folderOf(step.path)] : []))
  return folders.length === 0 ? [] : [{ kind: 'syncFolders', reason: 'the change survives a power cut', folders }]
}
