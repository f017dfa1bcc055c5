/** Looking at what the host has of a container, whole or half made: disk, systemd and engine in parallel. Changes nothing. */
import {
  type ContainerId,
  containerUnit,
  type EngineKind,
  GearError,
  idOfAccount,
  isEnvironmentId,
  isId,
  type Login,
  loginOf,
  type PortPair,
} from '../../api/index.ts'
import { readUnitPortPairs } from '../../formats/index.ts'
import type { Engine, EngineContainer, Host, UnitStatus } from '../../host/index.ts'
import { containerPaths } from '../layout/index.ts'
import type { PortStore } from '../ports/index.ts'
import { readInstalled } from './container.ts'
import type { Found, FoundForDelete } from './plan.ts'

export async function lookAt(host: Pick<Host, 'files' | 'paths'>, id: ContainerId): Promise<Found> {
  const paths = containerPaths(host.paths, id)
  const [unitText, versions, systemdUnit, wanted, boot] = await Promise.all([
    host.files.read(paths.unit),
    host.files.list(paths.versions),
    host.files.readLink(paths.systemdUnit),
    host.files.readLink(paths.wanted),
    host.files.readLink(paths.boot),
  ])
  return { paths, unitText, versions: versions.map(entry => entry.name), systemdUnit, wanted, boot }
}

/** The port pairs that an installed unit names, or that an install which broke off had decided on. */
export interface FoundPorts {
  readonly existing: readonly PortPair[]
  /** External ports that are reserved for the container. */
  readonly owned: ReadonlySet<number>
}

/**
 * The ports that are the container's. Those of `wanted` are looked at as well: of an install that a power cut broke off, the reservation
 * may be all that is left.
 */
export async function lookAtPorts(
  host: Pick<Host, 'files'>,
  ports: PortStore,
  id: ContainerId,
  found: Found,
  wanted: readonly PortPair[] = [],
): Promise<FoundPorts> {
  const texts = await Promise.all(found.versions.map(name => host.files.read(`${found.paths.versions}/${name}`)))
  const ofUnit = readUnitPortPairs(found.unitText ?? '')
  const isOfUnit = new Set(ofUnit.map(pair => pair.external))
  const ofVersions = texts.flatMap(text => readUnitPortPairs(text ?? '')).filter(pair => !isOfUnit.has(pair.external))
  // The unit's come last, so that of two pairs for one internal port its own counts.
  const existing = [...ofVersions, ...ofUnit]
  return {
    existing,
    owned: await ports.ownedOf(
      id,
      [...existing, ...wanted].map(pair => pair.external).filter(external => external !== 0),
    ),
  }
}

/** Everything of the container that a delete has to deal with. */
export async function lookForDelete(
  host: Host,
  ports: PortStore,
  id: ContainerId,
  options: { readonly isEverythingWanted: boolean },
): Promise<FoundForDelete> {
  const found = await lookAt(host, id)
  const { paths } = found
  const [status, { owned }, hasSocket, hasIdleFlag, hasNotedVolumes, hasLinks, hasRun, hasHome, hasAccess, account] = await Promise.all([
    host.units.status(containerUnit(id)),
    lookAtPorts(host, ports, id, found),
    host.files.exists(paths.socket),
    host.files.exists(paths.idleFlag),
    host.files.exists(paths.notedVolumes),
    host.files.exists(paths.links),
    host.files.exists(paths.run),
    host.files.exists(paths.home),
    host.files.exists(paths.access),
    ourAccount(host, id),
  ])
  const isKnown = found.unitText !== undefined || found.versions.length > 0 || hasRun || status.loadState === 'loaded'
  const installed = found.unitText === undefined ? undefined : readInstalled(found.unitText)
  const isStopped = isAtRest(status)
  const { engine, engineContainer, dataContainer } = await lookAtEngine(host, id, { ...options, isKnown, installedFor: installed?.engine })
  // A stop leaves the volumes of what ran to ID-data. What is only about to run may have some.
  const willHoldData = !isStopped && (engineContainer === undefined ? options.isEverythingWanted : engineContainer.volumes.length > 0)
  const environment = installed?.environment
  return {
    ...found,
    unit: containerUnit(id),
    isLoaded: status.loadState === 'loaded' || isFailed(status),
    isStopped,
    ports: [...owned],
    portFolders: ports.foldersOf([...owned]),
    hasSocket,
    hasIdleFlag,
    hasNotedVolumes,
    hasLinks,
    hasRun,
    hasHome,
    hasAccess,
    account,
    engine,
    engineContainer: engineContainer?.name,
    dataContainer: dataContainer !== undefined || willHoldData ? dataContainerOf(id) : undefined,
    environment: options.isEverythingWanted && environment !== undefined && isEnvironmentId(environment) ? environment : undefined,
    isDataWanted: options.isEverythingWanted,
  }
}

interface FoundAtEngine {
  readonly engine: EngineKind
  readonly engineContainer?: EngineContainer | undefined
  readonly dataContainer?: EngineContainer | undefined
}

async function lookAtEngine(
  { engines }: Pick<Host, 'engines'>,
  id: ContainerId,
  options: { readonly installedFor: EngineKind | undefined; readonly isKnown: boolean; readonly isEverythingWanted: boolean },
): Promise<FoundAtEngine> {
  const chosen = options.installedFor === undefined ? await engines.choose() : engines.of(options.installedFor)
  const data = dataContainerOf(id)
  if (options.isKnown) {
    const [engineContainer, dataContainer] = await Promise.all([ourContainer(chosen, id, id), ourContainer(chosen, data, id)])
    return { engine: chosen.kind, engineContainer, dataContainer }
  }
  if (!options.isEverythingWanted) return { engine: chosen.kind }
  // An earlier delete kept the data, and nothing tells any more which engine it was for. One that is not there has none.
  const dataContainer = await ourContainer(chosen, data, id)
  const other = engines.of(chosen.kind === 'docker' ? 'podman' : 'docker')
  const elsewhere = dataContainer === undefined ? await engineContainer(other, data) : undefined
  if (elsewhere !== undefined && elsewhere !== 'unknown' && isOurs(elsewhere, id)) return { engine: other.kind, dataContainer: elsewhere }
  return { engine: chosen.kind, dataContainer }
}

function isFailed(status: UnitStatus): boolean {
  return status.activeState === 'failed'
}

export function isAtRest({ activeState, hasJob }: Pick<UnitStatus, 'activeState' | 'hasJob'>): boolean {
  return ['inactive', 'failed'].includes(activeState) && !hasJob
}

/** The container that never runs and holds the volumes of the one with this id. */
function dataContainerOf(id: ContainerId): string {
  return `${id}-data`
}

/** The engine's container of this name when it carries our label; a foreign one is nobody's business here. */
export async function ourContainer(engine: Engine, name: string, id: ContainerId): Promise<EngineContainer | undefined> {
  const container = await engine.container(name)
  return container !== undefined && isOurs(container, id) ? container : undefined
}

/** The login of the container's account, unless somebody else has that name. */
async function ourAccount({ accounts }: Pick<Host, 'accounts'>, id: ContainerId): Promise<Login | undefined> {
  const login = loginOf('container', id)
  const account = await accounts.find(login)
  return account !== undefined && idOfAccount('container', account) === id ? login : undefined
}

function isOurs(container: EngineContainer, id: ContainerId): boolean {
  return container.labels['gear.id'] === id
}

/**
 * Refuses a new id whose name is taken: by a container of the engine that gear did not make for it, or by the data container of another
 * (`shop` owns `shop-data`, which is also a legal id). An engine that is away has no say; the unit checks again when it starts.
 * Tells whether the engine is sure to hold no data of an earlier container of this id, if that is wanted.
 */
export async function requireFreeName(
  host: Host,
  id: ContainerId,
  engine: Engine,
  { isDataLookedFor }: { readonly isDataLookedFor: boolean },
): Promise<{ readonly isWithoutData: boolean }> {
  const base = id.endsWith('-data') ? id.slice(0, -'-data'.length) : ''
  const data = dataContainerOf(id)
  const isInstalled = (name: string) => (isId(name) ? host.files.exists(containerPaths(host.paths, name).unit) : false)
  const [isDataOfOther, hasDataNamesake, container, dataContainer, hasNotedVolumes] = await Promise.all([
    isInstalled(base),
    isInstalled(data),
    engineContainer(engine, id),
    isDataLookedFor ? engineContainer(engine, data) : 'unknown',
    isDataLookedFor && host.files.exists(containerPaths(host.paths, id).notedVolumes),
  ])
  if (isDataOfOther) throw nameTaken(id, `it is the data container of container ${base}`)
  if (hasDataNamesake) throw nameTaken(id, `its data container would be ${data}, which is a container itself`)
  if (container !== undefined && container !== 'unknown' && !isOurs(container, id))
    throw nameTaken(id, `the engine has a container of that name which gear did not make`)
  return { isWithoutData: dataContainer === undefined && !hasNotedVolumes }
}

function nameTaken(id: ContainerId, why: string): GearError {
  return new GearError('NAME_TAKEN', `The id ${id} cannot be used: ${why}`)
}

async function engineContainer(engine: Engine, name: string): Promise<EngineContainer | undefined | 'unknown'> {
  try {
    return await engine.container(name)
  } catch (error) {
    if (error instanceof GearError && error.code === 'ENGINE_UNAVAILABLE') return 'unknown'
    throw error
  }
}
