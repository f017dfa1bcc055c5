/** The operations on environments. No container needs to exist for one. */
import { type Caller, type Environment, type EnvironmentId, GearError, limits, type Variable } from '../../api/index.ts'
import { FormatError, parseEnvironmentFile } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { applySteps, type DryRun, KeyedMutex, type NamedStepObserver, urlWithoutSecrets } from '../../lib/index.ts'
import { EnvironmentStore } from './store.ts'

type EnvironmentStep = {
  readonly kind: 'replaceEnvironment' | 'appendEnvironment'
  readonly reason: string
  readonly id: EnvironmentId
  readonly variables: readonly Variable[]
}

export class Environments {
  readonly store: EnvironmentStore
  readonly #host: Pick<Host, 'files' | 'network' | 'paths'>
  readonly #observe: NamedStepObserver
  readonly #locks = new KeyedMutex()

  constructor(host: Pick<Host, 'files' | 'network' | 'paths'>, observe: NamedStepObserver = () => undefined) {
    this.#host = host
    this.#observe = observe
    this.store = new EnvironmentStore(host)
  }

  /** The stored text. Throws ENVIRONMENT_UNKNOWN. */
  async get(id: EnvironmentId): Promise<string> {
    const text = await this.store.read(id)
    if (text === undefined) throw new GearError('ENVIRONMENT_UNKNOWN', `There is no environment ${id}`)
    return text
  }

  async put(id: EnvironmentId, environment: Environment, caller: Caller, dryRun?: DryRun): Promise<void> {
    const variables = await this.variablesOf(environment, caller)
    const reason = `it is to have exactly these variables: ${namesOf(variables)}`
    await this.#apply({ kind: 'replaceEnvironment', reason, id, variables }, dryRun)
  }

  /** Adds variables. The source is not fetched (spec §4.15). */
  async patch(id: EnvironmentId, { variables }: Environment, dryRun?: DryRun): Promise<void> {
    await this.#apply({ kind: 'appendEnvironment', reason: `these variables are added: ${namesOf(variables)}`, id, variables }, dryRun)
  }

  #apply(step: EnvironmentStep, dryRun: DryRun | undefined): Promise<void> {
    const { files } = this.#host
    return this.#locks.run(step.id, () =>
      applySteps(
        [step],
        {
          replaceEnvironment: async ({ id, variables }) => files.syncFolders(await this.store.write(id, variables)),
          appendEnvironment: async ({ id, variables }) => files.syncFolders(await this.store.append(id, variables)),
        },
        (each, when) => this.#observe(step.id, each, when),
        dryRun,
      ),
    )
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

/** Values are nobody's business. */
function namesOf(variables: readonly Variable[]): string {
  return variables.length === 0 ? 'none' : variables.map(({ name }) => name).join(', ')
}
