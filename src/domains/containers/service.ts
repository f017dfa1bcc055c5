/**
 * The operations that change containers: look, plan, apply, report. One lock per id; nothing else is kept in memory, because the truth is
 * on disk and in systemd. Two installs that want the same port are settled by the reservation itself, which only one can make.
 */
import {
  type Caller,
  type ContainerId,
  containerUnit,
  type EngineKind,
  GearError,
  type ImageName,
  type InstallContainer,
  inputInvalid,
  type PortPair,
  type RequestId,
} from '../../api/index.ts'
import { printPortPairs } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex, mapBounded } from '../../lib/index.ts'
import type { Environments } from '../environments/index.ts'
import { containerPaths } from '../layout/index.ts'
import { PortAllocator, type PortPlan, PortStore, planPorts, takenPort } from '../ports/index.ts'
import { applyPlan, type Hands } from './apply.ts'
import { readInstalled, specOf } from './container.ts'
import { Copies } from './copies.ts'
import { type Dropped, droppedFlags, nothingDropped } from './dropped.ts'
import { isAtRest, lookAt, lookAtPorts, lookForDelete, requireFreeName } from './look.ts'
import { type ContainerStep, type Found, planDelete, planInstall, type WantedInstall } from './plan.ts'
import { planPurge, planRestart, planStart, planStop } from './plan-run.ts'
import { withImage } from './set-image.ts'
import { installedContainers } from './store.ts'
import { renderUnit } from './unit.ts'

export interface InstallRequest {
  readonly id: ContainerId
  readonly requestId: RequestId
  readonly caller: Caller
  readonly body: InstallContainer
  readonly dryRun?: DryRun | undefined
}

export interface ImageChange {
  readonly id: ContainerId
  readonly image: ImageName
  readonly requestId: RequestId
  readonly dryRun?: DryRun | undefined
}

export interface Installed {
  readonly ports: readonly PortPair[]
  readonly isUpdate: boolean
  /** The container runs as it was before the update. */
  readonly isRestartNeeded: boolean
  /** Flags of the command line that the container had and has no longer: `--isolate`. */
  readonly dropped: Dropped
}

type UnitVersion = Pick<WantedInstall, 'text' | 'version' | 'isSame' | 'dropped'>

/** What an install has found and decided before it plans. */
interface InstallDecisions {
  readonly found: Found
  readonly ports: PortPlan
  readonly version: UnitVersion
  readonly environment: WantedInstall['environment']
  readonly run: Run
  readonly isWithoutData: boolean
}

/** How an installed container is, as far as an update must know. */
interface Run {
  readonly isUp: boolean
  /** It runs as it was before the installed version came. */
  readonly isOutdated: boolean
  /** systemd holds another version than the installed one. */
  readonly isStale: boolean
}

const noRun: Run = { isUp: false, isOutdated: false, isStale: false }

/** Containers purged together: the bus holds at most 128 questions of a connection that are not answered yet (dbus-daemon(1)). */
const purgedAtOnce = 16
/** Named in the error when they stay. */
const purgedNamed = 20

/** How often an install looks for other ports when those it allocated are taken meanwhile. */
const portAttemptsMax = 5

export class Containers {
  readonly #host: Host
  readonly #environments: Environments
  readonly #ports: PortStore
  readonly #allocator: PortAllocator
  readonly #hands: Hands
  readonly #locks = new KeyedMutex()
  /** Those of this process; what stops a container ends them. */
  readonly copies: Copies

  constructor(host: Host, environments: Environments, observe: Hands['observe'] = () => undefined) {
    this.#host = host
    this.#environments = environments
    this.copies = new Copies(host)
    this.#ports = new PortStore(host)
    this.#allocator = new PortAllocator(host)
    this.#hands = { host, ports: this.#ports, environments: environments.store, observe }
  }

  async install(request: InstallRequest): Promise<Installed> {
    requireSupported(request.body)
    return this.#locked(request.id, () => this.#install(request))
  }

  async #install(request: InstallRequest): Promise<Installed> {
    const { id, body } = request
    const found = await lookAt(this.#host, id)
    const isUpdate = found.unitText !== undefined
    const engine = await this.#engineOf(request, found)
    await requireHardening(this.#host, body, engine)
    const { isWithoutData } = isUpdate
      ? { isWithoutData: false }
      : await requireFreeName(this.#host, id, this.#host.engines.of(engine), {
          // The start on Podman finds that out in a millisecond, of better witnesses.
          isDataLookedFor: body.started && engine === 'docker',
        })
    const environment = await this.#environmentOf(request)
    const run = isUpdate ? await this.#lookAtRun(found.paths.unit, id) : noRun
    for (let attempt = 1; ; attempt++) {
      const ports = await this.#planPorts(id, body.ports, found)
      const version = this.#versionOf(request, found, { engine, ports: ports.pairs })
      try {
        await applyPlan(
          this.#hands,
          id,
          this.#planInstall(request, { found, ports, version, environment, run, isWithoutData }),
          request.dryRun,
        )
        if (request.dryRun !== undefined) this.#allocator.giveBack(ports.reserve)
        const isChanged = !version.isSame || environment !== undefined
        return { ports: ports.pairs, isUpdate, isRestartNeeded: run.isOutdated || (run.isUp && isChanged), dropped: version.dropped }
      } catch (error) {
        if (attempt === portAttemptsMax || !isAllocatedPortTaken(error, body.ports)) throw error
      }
    }
  }

  /** An update stays where the container is: its data are there, and what runs is stopped by the unit that started it. */
  async #engineOf({ id, body }: InstallRequest, { unitText }: Found): Promise<EngineKind> {
    if (unitText === undefined) return body.engine ?? (await this.#host.engines.choose()).kind
    const { engine } = readInstalled(unitText)
    if (body.engine === undefined || body.engine === engine) return engine
    throw new GearError('ENGINE_DIFFERS', `Container ${id} is on ${engine}, and cannot be moved to ${body.engine} by an install`)
  }

  async #lookAtRun(unitPath: string, id: ContainerId): Promise<Run> {
    const [status, modifiedMs = 0] = await Promise.all([this.#host.units.status(containerUnit(id)), this.#host.files.modifiedMs(unitPath)])
    return {
      isUp: !isAtRest(status),
      isOutdated: status.activeState === 'active' && modifiedMs > status.activeSinceMs,
      isStale: status.needsReload,
    }
  }

  /** The unit as the request wants it: the installed version when that says the same, so that a repeat changes nothing; else a new one. */
  #versionOf(
    { id, requestId, body }: InstallRequest,
    { paths, unitText, versions }: Found,
    decided: { readonly engine: EngineKind; readonly ports: readonly PortPair[] },
  ): UnitVersion {
    const render = (name: RequestId) => renderUnit(specOf(id, body, { requestId: name, ...decided }), this.#host.paths)
    const installed = unitText === undefined ? undefined : (readInstalled(unitText).requestId as RequestId)
    if (unitText !== undefined && installed !== undefined && versions.includes(installed) && render(installed) === unitText) {
      return { text: unitText, version: `${paths.versions}/${installed}`, isSame: true, dropped: nothingDropped }
    }
    const text = render(requestId)
    const dropped = unitText === undefined ? nothingDropped : droppedFlags(unitText, text)
    return { text, version: `${paths.versions}/${requestId}`, isSame: false, dropped }
  }

  #planInstall(
    { id, body }: { readonly id: ContainerId; readonly body: Pick<InstallContainer, 'networkLinks' | 'started'> },
    { found, ports, version, environment, run, isWithoutData }: InstallDecisions,
  ): readonly ContainerStep[] {
    return planInstall(
      {
        ...version,
        isStale: run.isStale,
        isUp: run.isUp,
        id,
        unit: containerUnit(id),
        ports,
        environment,
        links: body.networkLinks,
        isStarted: body.started,
        isWithoutData,
        portFolders: this.#ports.foldersOf([...ports.keep, ...ports.release]),
      },
      found,
    )
  }

  async #planPorts(id: ContainerId, wanted: readonly PortPair[], found: Found): Promise<PortPlan> {
    const { existing, owned } = await lookAtPorts(this.#host, this.#ports, id, found, wanted)
    return planPorts(
      { wanted, existing, owned },
      () => this.#allocator.next(),
      port => this.#ports.holderOf(port),
    )
  }

  /**
   * The variables an install stores. A request that only names an environment uses what is stored under that id; one that does not
   * exist yet is made empty, because the engine refuses to start without the file.
   */
  async #environmentOf({ body, caller }: InstallRequest): Promise<WantedInstall['environment']> {
    const { environment } = body
    if (environment?.id === undefined) return undefined
    const variables = await this.#environments.variablesOf(environment, caller)
    const isReference = environment.source === '' && variables.length === 0
    if (isReference && (await this.#environments.store.exists(environment.id))) return undefined
    return { id: environment.id, variables, folder: this.#environments.store.folder(environment.id) }
  }

  /**
   * Gives an installed container another image, everything else as it is. False when it has that image already. It runs as before until it is
   * restarted. Throws CONTAINER_UNKNOWN.
   */
  async setImage({ id, image, requestId, dryRun }: ImageChange) {
    return this.#locked(id, async () => {
      const found = await this.#requireInstalled(id)
      const text = found.unitText ?? ''
      if (readInstalled(text).image === image) return false
      const [run, ports] = await Promise.all([this.#lookAtRun(found.paths.unit, id), this.#planPorts(id, readInstalled(text).ports, found)])
      const version = {
        text: withImage(text, { image, requestId }),
        version: `${found.paths.versions}/${requestId}`,
        isSame: false,
        dropped: nothingDropped,
      }
      const wanted = { id, body: { networkLinks: undefined, started: false } }
      await applyPlan(
        this.#hands,
        id,
        this.#planInstall(wanted, { found, ports, version, environment: undefined, run, isWithoutData: false }),
        dryRun,
      )
      return true
    })
  }

  /** Removes the container and all of its own. True when data volumes were kept. An unknown id is no error. */
  async delete(
    id: ContainerId,
    options: { readonly isEverythingWanted: boolean; readonly dryRun?: DryRun | undefined },
  ): Promise<{ readonly isDataKept: boolean }> {
    return this.#locked(id, async () => {
      // An engine that is busy with a copy would not say what it has of the container.
      if (options.dryRun === undefined) this.copies.end(id)
      const found = await lookForDelete(this.#host, this.#ports, id, options)
      const shared = found.environment !== undefined && (await this.#isShared(id, found.environment))
      const plan = planDelete(shared ? { ...found, environment: undefined } : found)
      await applyPlan(this.#hands, id, plan, options.dryRun)
      return { isDataKept: found.dataContainer !== undefined && !options.isEverythingWanted }
    })
  }

  async #isShared(id: ContainerId, environment: string): Promise<boolean> {
    for (const other of await installedContainers(this.#host)) {
      if (other === id) continue
      const text = await this.#host.files.read(containerPaths(this.#host.paths, other).unit)
      if (text !== undefined && readInstalled(text).environment === environment) return true
    }
    return false
  }

  /** Queues a start. Throws CONTAINER_UNKNOWN. False when it runs or starts already. */
  start(id: ContainerId, dryRun?: DryRun): Promise<boolean> {
    return this.#locked(id, async () => {
      const [found, status] = await Promise.all([this.#requireInstalled(id), this.#host.units.status(containerUnit(id))])
      const steps = planStart(id, found, status)
      await applyPlan(this.#hands, id, steps, dryRun)
      return steps.some(({ kind }) => kind === 'start')
    })
  }

  /** Queues a restart. Throws CONTAINER_UNKNOWN, and CONTAINER_CHANGING while it is being started. */
  restart(id: ContainerId, dryRun?: DryRun): Promise<void> {
    return this.#locked(id, async () => {
      const [found, status] = await Promise.all([this.#requireInstalled(id), this.#host.units.status(containerUnit(id))])
      await applyPlan(this.#hands, id, planRestart(id, found, status), dryRun)
    })
  }

  /** Queues a stop and takes the container out of the boot. False when it is stopped already; unknown ids count as stopped. */
  stop(id: ContainerId, dryRun?: DryRun): Promise<boolean> {
    return this.#locked(id, async () => {
      // Not its status: for that, systemd would read a unit that it has not loaded, and that is therefore stopped.
      const [found, [loaded]] = await Promise.all([lookAt(this.#host, id), this.#host.units.list([containerUnit(id)])])
      const steps = planStop(id, found, loaded)
      await applyPlan(this.#hands, id, steps, dryRun)
      return steps.some(({ kind }) => kind === 'queueStop')
    })
  }

  /** Stops and disables every container; files stay (spec §4.12). */
  async purge(dryRun?: DryRun): Promise<void> {
    const ids = await installedContainers(this.#host)
    const failures = await mapBounded(ids, purgedAtOnce, id =>
      this.#locked(id, () => this.#purge(id, dryRun)).then(
        () => [],
        (error: unknown) => [{ id, error }],
      ),
    ).then(lists => lists.flat())
    await applySteps(
      [{ kind: 'reload' as const, reason: 'systemd still holds the units' }],
      { reload: () => this.#host.units.reload() },
      (step, when) => this.#hands.observe('', step, when),
      dryRun,
    )
    if (failures.length > 0) throw notPurged(failures, ids.length)
  }

  async #purge(id: ContainerId, dryRun: DryRun | undefined): Promise<void> {
    const [found, status] = await Promise.all([lookAt(this.#host, id), this.#host.units.status(containerUnit(id))])
    await applyPlan(this.#hands, id, planPurge(id, found, status), dryRun)
  }

  /** One at a time per id. `shop` and `shop-data` share a lock, since each looks whether the other has its names. */
  #locked<Result>(id: ContainerId, task: () => Promise<Result>): Promise<Result> {
    return this.#locks.run(id.replace(/(?:-data)+$/, ''), task)
  }

  async #requireInstalled(id: ContainerId): Promise<Found> {
    const found = await lookAt(this.#host, id)
    if (found.unitText === undefined) throw containerUnknown(id)
    return found
  }
}

/** Those that are named, and no more, are there as before. An engine that does not answer is the cause of all that comes of it. */
function notPurged(failures: readonly { readonly id: ContainerId; readonly error: unknown }[], count: number): GearError {
  const named = failures.slice(0, purgedNamed).map(({ id }) => id)
  const more = failures.length > purgedNamed ? ` and ${failures.length - purgedNamed} more` : ''
  const message = `${failures.length} of ${count} containers could not be purged (${named.join(', ')}${more}); the same purge clears them once that is mended`
  const errors = failures.map(({ error }) => error)
  const away = errors.find(error => error instanceof GearError && error.code === 'ENGINE_UNAVAILABLE')
  const first = away ?? errors[0]
  return new GearError(first instanceof GearError && first.code !== 'INTERNAL' ? first.code : 'SYSTEMD_FAILED', message, { cause: first })
}

export function containerUnknown(id: ContainerId): GearError {
  return new GearError('CONTAINER_UNKNOWN', `There is no container ${id} on this host`)
}

/** Whether a port was lost that nobody asked for by number: another writer was faster, and any other port does as well. */
function isAllocatedPortTaken(error: unknown, wanted: readonly PortPair[]): boolean {
  const port = takenPort(error)
  return port !== undefined && !wanted.some(pair => pair.external === port)
}

function requireSupported(body: InstallContainer): void {
  if (body.socketActivation && body.ports.length > 0) {
    throw new GearError('SOCKET_ACTIVATION_UNSUPPORTED', 'SocketActivation is not supported yet')
  }
  const { environment } = body
  if (environment !== undefined && environment.id === undefined && (environment.variables.length > 0 || environment.source !== '')) {
    throw inputInvalid([{ field: 'Environment.Id', rule: 'must be given, for the variables to be stored under it' }])
  }
}

/** What only the host can tell of the wishes of an install. */
async function requireHardening({ files }: Pick<Host, 'files'>, body: InstallContainer, engine: EngineKind): Promise<void> {
  const { seccompProfile, userNamespace } = body
  if (userNamespace !== undefined && engine === 'docker') {
    throw new GearError('USER_NAMESPACE_UNSUPPORTED', 'A container on docker cannot have a user namespace of its own')
  }
  if (seccompProfile !== undefined && seccompProfile !== 'unconfined' && !(await files.exists(seccompProfile))) {
    throw inputInvalid([{ field: 'SeccompProfile', rule: `must be a file on the host, and there is no ${seccompProfile}` }])
  }
}

/** `8080:4000,22:4022`, for the header X-PortMapping. */
export function portMappingText(ports: readonly PortPair[]): string | undefined {
  return ports.length === 0 ? undefined : printPortPairs(ports)
}
