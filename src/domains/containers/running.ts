/** The engine's container of an installed one, for what goes on inside it. */
import { type ContainerId, GearError } from '../../api/index.ts'
import type { Engine, EngineContainer, Host } from '../../host/index.ts'
import { containerPaths } from '../layout/index.ts'
import { isOfOriginal, readInstalled } from './container.ts'
import { containerUnknown } from './service.ts'

interface RunningContainer {
  readonly engine: Engine
  readonly container: EngineContainer
  readonly unitText: string
}

/** Throws CONTAINER_UNKNOWN, and CONTAINER_NOT_RUNNING also when somebody else's container has the name. */
export async function runningContainer(host: Pick<Host, 'files' | 'paths' | 'engines'>, id: ContainerId): Promise<RunningContainer> {
  const unitText = await host.files.read(containerPaths(host.paths, id).unit)
  if (unitText === undefined) throw containerUnknown(id)
  const engine = host.engines.of(readInstalled(unitText).engine)
  const container = await engine.container(id)
  // Units of the original start their container without our label.
  const isOurs = container?.labels['gear.id'] === id || (isOfOriginal(unitText) && container?.labels['gear.id'] === undefined)
  if (container === undefined || !container.isRunning || !isOurs) {
    throw new GearError('CONTAINER_NOT_RUNNING', `Container ${id} does not run`)
  }
  return { engine, container, unitText }
}
