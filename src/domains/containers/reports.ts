/** The operations that only look: status as text and as data, ports, log, list. */
import {
  type ContainerId,
  type ContainerStatus,
  containerOfUnit,
  containerUnit,
  GearError,
  type ListedContainer,
  limits,
  type PortPair,
  type UsedContainer,
} from '../../api/index.ts'
import { withUnitPath, withUnlinkedUnit } from '../../formats/index.ts'
import type { Engine, EngineContainer, EngineImage, Host, UnitStatus } from '../../host/index.ts'
import { mapBounded } from '../../lib/index.ts'
import { type ContainerPaths, containerPaths } from '../layout/index.ts'
import { type Cause, causeOf, signalOf } from './cause.ts'
import { readInstalled } from './container.ts'
import { deadlineIn } from './deadline.ts'
import { mcsLevel } from './mcs-level.ts'
import { readLabel, readQuota, readRunState, readUserNumbers } from './run-state.ts'
import { containerUnknown } from './service.ts'
import { installedContainers } from './store.ts'
import { readUsage } from './usage.ts'

/** There while SELinux is enabled. */
const seLinuxSwitch = '/sys/fs/selinux/enforce'

/** Containers whose image the reports remember; one entry is an id and a digest. */
const imagesRemembered = 2000

/** Docker answers in a few milliseconds, Podman in 100. */
const imageAnswerMs = 1000

/** Containers looked at together: the bus holds at most 128 questions of a connection that are not answered yet (dbus-daemon(1)). */
const usageAtOnce = 16

interface ImageOfContainer {
  readonly imageId: string
  readonly imageDigest: string | undefined
}

export class ContainerReports {
  readonly #host: Host
  /** By engine id: a container's image never changes, so the engine is asked once per run. */
  readonly #images = new Map<string, ImageOfContainer>()

  constructor(host: Host) {
    this.#host = host
  }

  /** The text of `systemctl status`, its Loaded line as programs for the original expect it. Throws CONTAINER_UNKNOWN. */
  async statusText(id: ContainerId): Promise<string> {
    const { paths } = await this.#installed(id)
    const text = await this.#host.journal.statusText(containerUnit(id))
    return withUnlinkedUnit(withUnitPath(text, paths.unit), paths.unit)
  }

  /** Everything known of the container, with the last `lines` of its log when that is more than 0. Throws CONTAINER_UNKNOWN. */
  async status(id: ContainerId, lines: number): Promise<ContainerStatus> {
    const { paths, unitText } = await this.#installed(id)
    const unit = containerUnit(id)
    const [status, run, boot, modifiedMs, isLabelled, quota, logLines] = await Promise.all([
      this.#host.units.status(unit),
      readRunState(this.#host, paths),
      this.#host.files.readLink(paths.boot),
      this.#host.files.modifiedMs(paths.unit),
      this.#host.files.exists(seLinuxSwitch),
      unitText.includes(' --isolate=') ? readQuota(this.#host, paths) : undefined,
      lines > 0 ? this.#lastLines(id, lines) : undefined,
    ])
    const isRunning = status.activeState === 'active'
    const containerId = isRunning ? run.containerId : undefined
    const installed = readInstalled(unitText)
    const [usage, image, userNumbers] =
      containerId === undefined
        ? [undefined, undefined, undefined]
        : await Promise.all([
            readUsage(this.#host, { slice: installed.slice, unit, containerId }),
            this.#imageInTime(this.#host.engines.of(installed.engine), containerId),
            unitText.includes(' --userns ') ? readUserNumbers(this.#host, paths) : undefined,
          ])
    const cause = causeOf({ id, installed, status, lastExit: run.lastExit })
    const exitCode = run.lastExit?.exitCode
    return {
      id,
      unit,
      activeState: status.activeState,
      subState: status.subState,
      loadState: status.loadState,
      since: timeText(status.stateSinceMs),
      enabled: boot === paths.unit,
      restarts: status.restarts,
      exitCode,
      signal: exitCode === undefined ? undefined : signalOf(exitCode),
      oomKilled: run.lastExit?.oomKilled,
      ports: [...installed.ports],
      engine: installed.engine,
      image: installed.image,
      imageId: image?.imageId,
      imageDigest: image?.imageDigest,
      containerId,
      memoryBytes: usage?.memoryBytes,
      cpuMs: usage?.cpuMs,
      seLinux: isRunning ? (isLabelled ? levelOf(id, await readLabel(this.#host, paths)) : 'off') : undefined,
      userNumbers,
      quota,
      restartNeeded: isRunning && (modifiedMs ?? 0) > status.activeSinceMs,
      cause: cause?.cause,
      next: cause?.next,
      lines: logLines,
    }
  }

  /** Why a container in this state is not running; undefined when it is as it should be. */
  async explain(id: ContainerId, status: UnitStatus): Promise<Cause | undefined> {
    const { paths, unitText } = await this.#installed(id)
    const { lastExit } = await readRunState(this.#host, paths)
    return causeOf({ id, installed: readInstalled(unitText), status, lastExit })
  }

  async ports(id: ContainerId): Promise<readonly PortPair[]> {
    return readInstalled((await this.#installed(id)).unitText).ports
  }

  /** The containers systemd has loaded; with `isAll` those it has not as well, as inactive (spec §4.9). Sorted by id. */
  async list(isAll: boolean): Promise<readonly ListedContainer[]> {
    const [listed, installed] = await Promise.all([this.#host.units.list(['ctr-*.service']), installedContainers(this.#host)])
    const isInstalled = new Set(installed)
    const byId = new Map<ContainerId, ListedContainer>()
    for (const unit of listed) {
      const id = containerOfUnit(unit.name)
      if (id === undefined || !isInstalled.has(id) || ['not-found', 'masked'].includes(unit.loadState)) continue
      const { activeState, subState, loadState, jobType } = unit
      byId.set(id, { id, activeState, subState, loadState, jobType })
    }
    if (isAll) {
      for (const id of installed) if (!byId.has(id)) byId.set(id, { id, activeState: 'inactive', subState: 'dead', loadState: 'loaded' })
    }
    return [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  }

  /** What containers that are not at rest need. Sorted by id. One that goes meanwhile is left out. */
  async usage(): Promise<readonly UsedContainer[]> {
    const listed = (await this.list(false)).filter(({ activeState }) => !['inactive', 'failed'].includes(activeState))
    const used = await mapBounded(listed, usageAtOnce, ({ id, activeState, subState }) =>
      this.#usageOf(id as ContainerId, { activeState, subState }),
    )
    return used.filter(row => row !== undefined)
  }

  async #usageOf(id: ContainerId, state: Pick<UsedContainer, 'activeState' | 'subState'>): Promise<UsedContainer | undefined> {
    const paths = containerPaths(this.#host.paths, id)
    const [unitText, run, { restarts }] = await Promise.all([
      this.#host.files.read(paths.unit),
      readRunState(this.#host, paths),
      this.#host.units.status(containerUnit(id)),
    ])
    if (unitText === undefined) return undefined
    const { slice, memoryBytes: memoryMaxBytes } = readInstalled(unitText)
    const usage =
      run.containerId === undefined
        ? undefined
        : await readUsage(this.#host, { slice, unit: containerUnit(id), containerId: run.containerId })
    return { id, ...state, restarts, memoryBytes: usage?.memoryBytes, memoryMaxBytes, cpuMs: usage?.cpuMs }
  }

  /** Throws CONTAINER_UNKNOWN. */
  async requireInstalled(id: ContainerId): Promise<void> {
    await this.#installed(id)
  }

  async #installed(id: ContainerId): Promise<{ readonly paths: ContainerPaths; readonly unitText: string }> {
    const paths = containerPaths(this.#host.paths, id)
    const unitText = await this.#host.files.read(paths.unit)
    if (unitText === undefined) throw containerUnknown(id)
    return { paths, unitText }
  }

  async #lastLines(id: ContainerId, lines: number): Promise<string[]> {
    using deadline = deadlineIn(this.#host.clock, limits.toolCallMs)
    const query = { unit: containerUnit(id), lines, isFollowing: false }
    const found: string[] = []
    for await (const line of this.#host.journal.lines(query, deadline.signal)) found.push(line)
    return found
  }

  /** A report does not wait for an engine that hangs; a late answer is for the next one. */
  async #imageInTime(engine: Engine, containerId: string): Promise<ImageOfContainer | undefined> {
    const over = new AbortController()
    try {
      return await Promise.race([
        this.#imageOf(engine, containerId),
        this.#host.clock.sleep(imageAnswerMs, over.signal).then(() => undefined),
      ])
    } finally {
      over.abort()
    }
  }

  async #imageOf(engine: Engine, containerId: string): Promise<ImageOfContainer | undefined> {
    const known = this.#images.get(containerId)
    if (known !== undefined) return known
    const found = await askForImage(engine, containerId)
    if (found !== undefined) {
      const oldest = this.#images.keys().next().value
      if (this.#images.size >= imagesRemembered && oldest !== undefined) this.#images.delete(oldest)
      this.#images.set(containerId, found)
    }
    return found
  }
}

/** The image of a container; undefined when the engine is away: a report is not the place to fail for that. */
async function askForImage(engine: Engine, containerId: string): Promise<ImageOfContainer | undefined> {
  let container: EngineContainer | undefined
  let image: EngineImage | undefined
  try {
    container = await engine.container(containerId)
    image = container === undefined ? undefined : await engine.image(container.imageId)
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    return undefined
  }
  return container === undefined ? undefined : { imageId: container.imageId, imageDigest: image?.digests[0] }
}

/** The level it was given, if it is the one that it runs at: docker labels nothing without selinux-enabled, and units of earlier versions ask for none. */
function levelOf(id: ContainerId, label: string | undefined): string | undefined {
  const level = mcsLevel(id)
  if (label === undefined) return undefined
  return label.endsWith(`:${level}`) ? level : `not its own: the engine runs it as ${label}`
}

function timeText(ms: UnitStatus['stateSinceMs']): string | undefined {
  return ms === 0 ? undefined : new Date(ms).toISOString()
}
