/** What each kind of step does to the host; the only file of this domain that changes anything. */
import { type ContainerId, GearError, limits, type UnitName } from '../../api/index.ts'
import { printNetworkLinkFile } from '../../formats/index.ts'
import type { Host, JobResult } from '../../host/index.ts'
import { applySteps, type DryRun, type NamedStepObserver, type StepObserver } from '../../lib/index.ts'
import type { EnvironmentStore } from '../environments/index.ts'
import { containerPaths, folderOf, modes } from '../layout/index.ts'
import type { PortStore } from '../ports/index.ts'
import { readInstalled } from './container.ts'
import { deadlineIn } from './deadline.ts'
import { ourContainer } from './look.ts'
import type { ContainerStep } from './plan.ts'

export interface Hands {
  readonly host: Host
  readonly ports: PortStore
  readonly environments: EnvironmentStore
  readonly observe: NamedStepObserver
}

/**
 * Carries a plan out for a container. When an install fails before its unit file took its place, what the new version reserved and
 * wrote for itself is taken back, so that a failed install changes nothing but the environment it brought, which may be others' too;
 * what comes later stays for the next look to finish. In a dry run nothing is done.
 */
export async function applyPlan(hands: Hands, id: ContainerId, steps: readonly ContainerStep[], dryRun?: DryRun): Promise<void> {
  const done: ContainerStep[] = []
  const observe: StepObserver<ContainerStep> = (step, when) => {
    if (when === 'after') done.push(step)
    return hands.observe(id, step, when)
  }
  try {
    await applySteps<ContainerStep>(steps, appliers(hands, id), observe, dryRun)
  } catch (error) {
    // What cannot be taken back either is found by the next look; the first failure is the one to tell.
    if (!done.some(step => step.kind === 'swapUnit')) await takeBack(hands, id, steps, done).catch(() => undefined)
    throw error
  }
}

async function takeBack(hands: Hands, id: ContainerId, steps: readonly ContainerStep[], done: readonly ContainerStep[]): Promise<void> {
  for (const step of done) if (step.kind === 'reservePorts') await hands.ports.release(id, step.ports)
  for (const step of steps) {
    if (step.kind === 'writeLinks' && step.isNew && done.includes(step)) await hands.host.files.remove(step.path)
    if (step.kind === 'writeVersion' && step.isNew) {
      await hands.host.files.remove(step.path)
      await hands.host.files.removeEmptyFolder(folderOf(step.path))
    }
  }
}

function appliers(hands: Hands, id: ContainerId): Parameters<typeof applySteps<ContainerStep>>[1] {
  const { files, units, engines, accounts } = hands.host
  /** Folders that changed beside those the plan knows of, such as parents that had to be made; they are synced with the next ones. */
  const changed = new Set<string>()
  const noteFolders = (folders: readonly string[]) => {
    for (const folder of folders) changed.add(folder)
  }
  return {
    writeVersion: async step => {
      noteFolders(await files.makeFolder(folderOf(step.path), modes.unitFolder))
      await files.write(step.path, step.text, modes.unitFile)
    },
    reservePorts: async step => noteFolders(await hands.ports.reserve(step.ports, step.version)),
    repointPorts: step => hands.ports.repoint(step.ports, step.version),
    releasePorts: step => hands.ports.release(id, step.ports),
    writeEnvironment: async step => noteFolders(await hands.environments.write(step.id, step.variables)),
    writeLinks: async step => {
      noteFolders(await files.makeFolder(folderOf(step.path), modes.secretFolder))
      await files.write(step.path, printNetworkLinkFile(step.links), modes.secretFile)
    },
    applyLinks: step => units.queueRestart(step.unit, 'replace'),
    syncFolders: async step => {
      await files.syncFolders([...step.folders, ...changed])
      changed.clear()
    },
    swapUnit: step => files.hardLinkOver(step.version, step.unit),
    linkUnit: step => files.relink(step.target, step.path),
    removeFile: async step => void (await files.remove(step.path)),
    removeFolder: async step => {
      if (await files.removeTree(step.path)) changed.add(folderOf(step.path))
    },
    removeEmptyFolder: step => files.removeEmptyFolder(step.path),
    removeEnvironment: async step => {
      await hands.environments.remove(step.id)
      changed.add(hands.environments.folder(step.id))
    },
    endLogins: step => accounts.endLogins(step.login),
    removeAccount: async step => void (await accounts.remove(step.login)),
    reload: () => units.reload(),
    reloadIfStale: async step => {
      if ((await units.status(step.unit)).needsReload) await units.reload()
    },
    noteNoData: async step => {
      await files.makeFolder(folderOf(step.path), modes.unitFolder)
      await files.write(step.path, 'asked\n', modes.publicFile)
    },
    // The calls travel in this order, so the start finds a fresh start limit without waiting for an answer in between.
    start: async step => void (await Promise.all([units.resetFailed(step.unit), units.queueStart(step.unit, 'replace')])),
    restart: async step => void (await Promise.all([units.resetFailed(step.unit), units.queueRestart(step.unit, 'replace')])),
    queueStop: step => units.queueStop(step.unit, 'replace'),
    stop: step => stopWhole(hands, id, step.unit),
    resetFailed: step => units.resetFailed(step.unit),
    removeEngineContainer: step => engines.of(step.engine).removeContainer(step.name, { withVolumes: step.withVolumes }),
    removeData: async step => {
      const engine = engines.of(step.engine)
      const container = await ourContainer(engine, step.name, id)
      if (container !== undefined) await engine.removeContainer(container.id, { withVolumes: true })
    },
  }
}

/** Stops a unit and waits until it has. When it does not end in time, throws ENGINE_UNAVAILABLE where the container's engine is why, else SYSTEMD_FAILED. */
async function stopWhole({ host }: Hands, id: ContainerId, unit: UnitName): Promise<void> {
  using deadline = deadlineIn(host.clock, limits.unitJobMs)
  let result: JobResult
  try {
    result = await host.units.stop(unit, { mode: 'replace', signal: deadline.signal })
  } catch (error) {
    if (!deadline.signal.aborted) throw error
    throw await notStopped(host, id, `${unit} has not stopped in ${limits.unitJobMs / 1000} seconds`, error)
  }
  if (result !== 'done') throw await notStopped(host, id, `${unit} could not be stopped: the job ended as ${result}`, undefined)
}

/** systemd tells no more than that the helper has not ended. The engine that it waits for is asked for what it waits for: that container. */
async function notStopped({ files, paths, engines }: Host, id: ContainerId, message: string, cause: unknown): Promise<GearError> {
  try {
    const text = await files.read(containerPaths(paths, id).unit)
    if (text !== undefined) await engines.of(readInstalled(text).engine).container(id)
  } catch (error) {
    if (error instanceof GearError && error.code === 'ENGINE_UNAVAILABLE')
      return new GearError('ENGINE_UNAVAILABLE', message, { cause: error })
  }
  return new GearError('SYSTEMD_FAILED', message, { cause })
}
