/** The operations on environments. No container needs to exist for one. */
import { type Caller, type Environment, type EnvironmentId, GearError, limits, type Variable } from '../../api/index.ts'
import { FormatError, parseEnvironmentFile } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { KeyedMutex, urlWithoutSecrets } from '../../lib/index.ts'
import { EnvironmentStore } from './store.ts'

export class Environments {
  readonly store: EnvironmentStore
  readonly #host: Pick<Host, 'files' | 'network' | 'paths'>
  readonly #locks = new KeyedMutex()

  constructor(host: Pick<Host, 'files' | 'network' | 'paths'>) {
    this.#host = host
    this.store = new EnvironmentStore(host)
  }

  /** The stored text. Throws ENVIRONMENT_UNKNOWN. */
  async get(id: EnvironmentId): Promise<string> {
    const text = await this.store.read(id)
    if (text === undefined) throw new GearError('ENVIRONMENT_UNKNOWN', `There is no environment ${id}`)
    return text
  }

  async put(id: EnvironmentId, environment: Environment, caller: Caller): Promise<void> {
    const variables = await this.variablesOf(environment, caller)
    await this.#locks.run(id, async () => {
      await this.#host.files.syncFolders(await this.store.write(id, variables))
    })
  }

  /** Adds variables. The source is not fetched (spec §4.15). */
  async patch(id: EnvironmentId, environment: Environment): Promise<void> {
    await this.#locks.run(id, async () => {
      await this.#host.files.syncFolders(await this.store.append(id, environment.variables))
    })
  }

  /** The variables of a request: those behind its source, when it has one, instead of its own (spec §4.1). */
  async variablesOf(environment: Environment, caller: Caller): Promise<readonly Variable[]> {
    if (environment.source === '') return environment.variables
    const text = await this.#host.network.fetchText(environment.source, {
      maxBytes: limits.environmentSourceBytes,
      timeoutMs: limits.environmentSourceMs,
      mayReachHost: caller.isRoot,
    })
    try {
      return parseEnvironmentFile(text).variables
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      throw new GearError('ENVIRONMENT_FETCH_FAILED', `What ${urlWithoutSecrets(environment.source)} answered is no environment`, {
        cause: error,
      })
    }
  }
}
