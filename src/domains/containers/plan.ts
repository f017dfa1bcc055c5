/**
 * What has to be done, as data: from what is wanted and what a look at the host found to steps with reasons. Pure; nothing here touches
 * the host. The order of the steps is what makes a crash between any two harmless: the unit file appears last of what an install
 * writes and goes late in a delete, and every look finds what an earlier, broken run left.
 */
import {
  type ContainerId,
  type EngineKind,
  type EnvironmentId,
  type Login,
  linksUnit,
  type UnitName,
  type Variable,
} from '../../api/index.ts'
import type { NetworkLink } from '../../formats/index.ts'
import { type ContainerPaths, folderOf } from '../layout/index.ts'
import type { PortPlan } from '../ports/index.ts'
import { readInstalled } from './container.ts'
import { type Dropped, droppedReason } from './dropped.ts'

export type ContainerStep =
  | {
      readonly kind: 'writeVersion'
      readonly reason: string
      readonly path: string
      readonly text: string
      /** No earlier attempt of the same request has left the file. */
      readonly isNew: boolean
    }
  | { readonly kind: 'reservePorts'; readonly reason: string; readonly ports: readonly number[]; readonly version: string }
  | { readonly kind: 'writeEnvironment'; readonly reason: string; readonly id: EnvironmentId; readonly variables: readonly Variable[] }
  | {
      readonly kind: 'writeLinks'
      readonly reason: string
      readonly path: string
      readonly links: readonly NetworkLink[]
      /** The container is new, so that there are no links from before to be kept. */
      readonly isNew: boolean
    }
  | { readonly kind: 'applyLinks'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'syncFolders'; readonly reason: string; readonly folders: readonly string[] }
  | { readonly kind: 'swapUnit'; readonly reason: string; readonly version: string; readonly unit: string }
  | { readonly kind: 'repointPorts'; readonly reason: string; readonly ports: readonly number[]; readonly version: string }
  | { readonly kind: 'releasePorts'; readonly reason: string; readonly ports: readonly number[] }
  | { readonly kind: 'linkUnit'; readonly reason: string; readonly target: string; readonly path: string }
  | { readonly kind: 'removeFile'; readonly reason: string; readonly path: string }
  | { readonly kind: 'removeFolder'; readonly reason: string; readonly path: string }
  | { readonly kind: 'removeEmptyFolder'; readonly reason: string; readonly path: string }
  | { readonly kind: 'removeEnvironment'; readonly reason: string; readonly id: EnvironmentId }
  | { readonly kind: 'endLogins'; readonly reason: string; readonly login: Login }
  | { readonly kind: 'removeAccount'; readonly reason: string; readonly login: Login }
  | { readonly kind: 'reload'; readonly reason: string }
  | { readonly kind: 'reloadIfStale'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'noteNoData'; readonly reason: string; readonly path: string }
  | { readonly kind: 'start'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'restart'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'queueStop'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'stop'; readonly reason: string; readonly unit: UnitName }
  | { readonly kind: 'resetFailed'; readonly reason: string; readonly unit: UnitName }
  | {
      readonly kind: 'removeEngineContainer'
      readonly reason: string
      readonly engine: EngineKind
      readonly name: string
      readonly withVolumes: boolean
    }
  /** Looked for once more when it is done: a stop may have made it. */
  | { readonly kind: 'removeData'; readonly reason: string; readonly engine: EngineKind; readonly name: string }

export interface WantedInstall {
  readonly id: ContainerId
  readonly unit: UnitName
  /** The rendered unit, and the file of this version of it. */
  readonly text: string
  readonly version: string
  /** The installed unit says the same already; only what is beside it may have to be done. */
  readonly isSame: boolean
  /** Flags of the command line that the installed unit has and this one has no longer: `-v /data`. */
  readonly dropped: Dropped
  /** systemd says that it holds another version than the installed one; an install that broke off may not have come to tell it. */
  readonly isStale: boolean
  /** The container runs, or is about to. */
  readonly isUp: boolean
  readonly ports: PortPlan
  /** Variables to store; undefined leaves the stored environment as it is. */
  readonly environment: { readonly id: EnvironmentId; readonly variables: readonly Variable[]; readonly folder: string } | undefined
  readonly links: readonly NetworkLink[] | undefined
  readonly isStarted: boolean
  /** The engine was asked, and holds no data of an earlier container of this id. */
  readonly isWithoutData: boolean
  /** Of reservations that are kept or given back. */
  readonly portFolders: readonly string[]
}

/** What a look at an id finds on the host, be it whole, half made or half removed. */
export interface Found {
  readonly paths: ContainerPaths
  /** The installed unit's text. */
  readonly unitText: string | undefined
  /** Names in the folder of versions. */
  readonly versions: readonly string[]
  /** Targets of the links that make systemd see the unit. */
  readonly systemdUnit: string | undefined
  readonly wanted: string | undefined
  readonly boot: string | undefined
}

export function planInstall(wanted: WantedInstall, found: Found): readonly ContainerStep[] {
  const { paths } = found
  const isUpdate = found.unitText !== undefined
  const current = wanted.version.slice(paths.versions.length + 1)
  const steps: ContainerStep[] = []
  if (!wanted.isSame) {
    const isNew = !found.versions.includes(current)
    steps.push({ kind: 'writeVersion', reason: 'the unit is new or says something new', path: wanted.version, text: wanted.text, isNew })
  }
  if (wanted.ports.reserve.length > 0) {
    steps.push({ kind: 'reservePorts', reason: 'a port belongs to one container', ports: wanted.ports.reserve, version: wanted.version })
  }
  if (wanted.environment !== undefined) {
    const { id, variables } = wanted.environment
    steps.push({ kind: 'writeEnvironment', reason: 'the unit reads it at every start', id, variables })
  }
  if (wanted.links !== undefined) {
    const { links } = wanted
    steps.push({ kind: 'writeLinks', reason: 'links are applied at every start', path: paths.links, links, isNew: !isUpdate })
  }
  const written = [paths.versions]
  if (wanted.environment !== undefined) written.push(wanted.environment.folder)
  if (wanted.links !== undefined) written.push(paths.linksFolder)
  steps.push({ kind: 'syncFolders', reason: 'the unit must not appear before what it needs is on disk', folders: written })
  if (!wanted.isSame) {
    const lost = droppedReason(wanted.dropped)
    const reason = isUpdate ? `the new version takes over${lost === '' ? '' : `; ${lost}`}` : 'now the container exists'
    steps.push({ kind: 'swapUnit', reason, version: wanted.version, unit: paths.unit })
  }
  if (wanted.ports.keep.length > 0) {
    steps.push({
      kind: 'repointPorts',
      reason: 'kept ports follow the current version',
      ports: wanted.ports.keep,
      version: wanted.version,
    })
  }
  steps.push(...linkSteps(found, wanted.isStarted))
  if (wanted.ports.release.length > 0) {
    steps.push({ kind: 'releasePorts', reason: 'these ports are no longer asked for', ports: wanted.ports.release })
  }
  if (!wanted.isSame) steps.push(...pruneSteps(found, current))
  const bootFolders = wanted.isStarted ? [folderOf(paths.boot)] : []
  steps.push({
    kind: 'syncFolders',
    reason: 'the change survives a power cut',
    folders: [paths.unitFolder, folderOf(paths.systemdUnit), folderOf(paths.wanted), ...bootFolders, ...wanted.portFolders],
  })
  if (wanted.isStale || (isUpdate && !wanted.isSame)) steps.push({ kind: 'reload', reason: 'systemd holds the version from before' })
  if (wanted.links !== undefined && wanted.isUp) {
    steps.push({ kind: 'applyLinks', reason: 'it runs, and gets its links without a restart', unit: linksUnit(wanted.id) })
  }
  if (wanted.isStarted) {
    if (!isUpdate) steps.push({ kind: 'reloadIfStale', reason: 'systemd may hold the unit of a deleted container', unit: wanted.unit })
    if (wanted.isWithoutData)
      steps.push({ kind: 'noteNoData', reason: 'its first start need not ask the engine again', path: paths.noData })
    steps.push({ kind: 'start', reason: 'a start was asked for', unit: wanted.unit })
  }
  return steps
}

/** The links that make systemd see a unit; those that are right already are left alone. */
export function linkSteps(found: Found, isStarted: boolean): readonly ContainerStep[] {
  const { paths } = found
  const steps: ContainerStep[] = []
  if (found.systemdUnit !== paths.unit) {
    steps.push({ kind: 'linkUnit', reason: 'systemd looks for units there', target: paths.unit, path: paths.systemdUnit })
  }
  if (found.wanted !== paths.unit) {
    steps.push({ kind: 'linkUnit', reason: 'the unit is part of container.target', target: paths.unit, path: paths.wanted })
  }
  if (isStarted && found.boot !== paths.unit) {
    steps.push({ kind: 'linkUnit', reason: 'a started container comes back at boot', target: paths.unit, path: paths.boot })
  }
  return steps
}

/** The version before the current one is kept to look at; older ones, and those of installs that broke off, go. */
function pruneSteps(found: Found, current: string): readonly ContainerStep[] {
  const replaced = found.unitText === undefined ? undefined : readInstalled(found.unitText).requestId
  return found.versions
    .filter(name => name !== current && name !== replaced)
    .map(name => ({
      kind: 'removeFile',
      reason: 'neither the current version nor the one before',
      path: `${found.paths.versions}/${name}`,
    }))
}

export interface FoundForDelete extends Found {
  readonly unit: UnitName
  /** systemd holds the unit, whether its file is there or not. */
  readonly isLoaded: boolean
  readonly isStopped: boolean
  /** External ports reserved for the container. */
  readonly ports: readonly number[]
  readonly portFolders: readonly string[]
  readonly hasSocket: boolean
  readonly hasIdleFlag: boolean
  readonly hasNotedVolumes: boolean
  readonly hasLinks: boolean
  readonly hasRun: boolean
  readonly hasHome: boolean
  /** Some key was once let in. */
  readonly hasAccess: boolean
  /** Its account on the host, when it has one. */
  readonly account: Login | undefined
  readonly engine: EngineKind
  /** Engine objects of ours, by name. The one with the data may be there only after the stop. */
  readonly engineContainer: string | undefined
  readonly dataContainer: string | undefined
  /** Set when the environment is to go too. */
  readonly environment: EnvironmentId | undefined
  readonly isDataWanted: boolean
}

export function planDelete(found: FoundForDelete): readonly ContainerStep[] {
  const { paths, unit } = found
  const steps: ContainerStep[] = []
  const removeFile = (path: string, reason: string) => steps.push({ kind: 'removeFile', reason, path })
  if (found.boot !== undefined) removeFile(paths.boot, 'it must not come back at boot')
  // Nobody may log in from here on, nor to another container of this id later.
  if (found.hasAccess) steps.push({ kind: 'removeFolder', reason: 'the keys that were let in', path: paths.access })
  if (found.account !== undefined) steps.push({ kind: 'endLogins', reason: 'who is inside comes out', login: found.account })
  if (!found.isStopped) steps.push({ kind: 'stop', reason: 'it runs', unit })
  if (found.engineContainer !== undefined) {
    steps.push({
      kind: 'removeEngineContainer',
      reason: 'the engine still has its container',
      engine: found.engine,
      name: found.engineContainer,
      withVolumes: found.isDataWanted,
    })
  }
  if (found.isDataWanted && found.dataContainer !== undefined) {
    steps.push({ kind: 'removeData', reason: 'its data is to go too', engine: found.engine, name: found.dataContainer })
  }
  if (found.ports.length > 0) steps.push({ kind: 'releasePorts', reason: 'its ports are free again', ports: found.ports })
  if (found.hasLinks) removeFile(paths.links, 'its network links')
  if (found.wanted !== undefined) removeFile(paths.wanted, 'systemd forgets it')
  if (found.systemdUnit !== undefined) removeFile(paths.systemdUnit, 'systemd forgets it')
  if (found.hasSocket) removeFile(paths.socket, 'its socket unit')
  if (found.hasIdleFlag) removeFile(paths.idleFlag, 'its idle flag')
  if (found.isDataWanted && found.hasNotedVolumes) removeFile(paths.notedVolumes, 'what its data were')
  if (found.account !== undefined) {
    steps.push({ kind: 'removeAccount', reason: 'its account, whose number others may get', login: found.account })
  }
  if (found.hasRun) steps.push({ kind: 'removeFolder', reason: 'its run state', path: paths.run })
  if (found.hasHome) steps.push({ kind: 'removeFolder', reason: 'its home', path: paths.home })
  if (found.environment !== undefined)
    steps.push({ kind: 'removeEnvironment', reason: 'its environment is to go too', id: found.environment })
  if (found.versions.length > 0) steps.push({ kind: 'removeFolder', reason: 'its versions', path: paths.versions })
  if (found.unitText !== undefined) removeFile(paths.unit, 'now it exists no more')
  if (steps.length === 0 && !found.isLoaded) return steps
  // Other partitions stay when they are empty: others make a file in them, and it must not go between that and the file. In this
  // one they make a folder, which brings its parents along.
  for (const path of [paths.versions, paths.unitFolder]) {
    steps.push({ kind: 'removeEmptyFolder', reason: 'nothing is left in it', path })
  }
  steps.push({
    kind: 'syncFolders',
    reason: 'the removal survives a power cut',
    folders: [
      paths.unitFolder,
      folderOf(paths.unitFolder),
      folderOf(paths.systemdUnit),
      folderOf(paths.wanted),
      folderOf(paths.boot),
      paths.linksFolder,
      ...found.portFolders,
    ],
  })
  if (found.isLoaded) {
    steps.push(
      { kind: 'resetFailed', reason: 'a later install starts afresh', unit },
      { kind: 'reload', reason: 'systemd still holds the unit' },
    )
  }
  return steps
}
