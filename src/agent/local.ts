/**
 * The work of the agent without an agent: the same handlers on this machine, for a local command while no agent runs. Reports need nothing more;
 * the first change takes the writer lock and makes the host ready, as an agent's start would; a dry run does neither.
 */
import { type Contract, contract, type Handlers, type Operation, openApiDocument } from '../api/index.ts'
import { makeHandlers, prepareHost } from '../domains/index.ts'
import { type Host, type Lock, linuxHost } from '../host/index.ts'
import { hostPaths, loadConfig } from './config.ts'
import { takeWriterLock } from './writer-lock.ts'

export interface LocalHandlers extends AsyncDisposable {
  readonly handlers: Handlers
}

export interface LocalOptions {
  readonly version: string
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Changes throw WRITER_BUSY when another process holds the lock, which is given back by disposing of the result. */
export function openLocal({ version, environment }: LocalOptions): LocalHandlers {
  const { config } = loadConfig(environment === undefined ? {} : { environment })
  const host = linuxHost({ paths: hostPaths(config), engine: config.engine })
  const handlers = makeHandlers(host, { version, openApi: () => openApiDocument(contract, version) })
  return lockedHandlers(handlers, host, () => prepareHost(host))
}

export function lockedHandlers(handlers: Handlers, host: Host, prepare: () => Promise<void>): LocalHandlers {
  let opening: Promise<Lock> | undefined
  const open = async (): Promise<Lock> => {
    const lock = await takeWriterLock(host)
    await prepare()
    return lock
  }
  const locked = (name: keyof Contract): unknown => {
    const operation: Pick<Operation, 'effect'> = contract[name]
    if (operation.effect === 'read') return handlers[name]
    return async (call: never): Promise<unknown> => {
      const { dryRun } = call as { readonly dryRun?: unknown }
      if (dryRun === undefined) {
        opening ??= open()
        await opening
      }
      return handlers[name](call)
    }
  }
  const names = Object.keys(contract) as (keyof Contract)[]
  return {
    handlers: Object.fromEntries(names.map(name => [name, locked(name)])) as unknown as Handlers,
    [Symbol.asyncDispose]: async () => {
      const lock = await opening?.catch(() => undefined)
      await lock?.[Symbol.asyncDispose]()
      await host.units.close()
    },
  }
}
