/** The contract's operations on the host itself. */
import { explain, GearError, type Handlers } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

/** What the agent knows of itself. */
export interface AgentFacts {
  readonly version: string
  /** The OpenAPI document; made when it is first asked for. */
  readonly openApi: () => unknown
}

/** The version of the wire format, as the original's client sends it in X-Api-Version. */
const apiVersion = '1'

export function nodeHandlers(host: Host, facts: AgentFacts) {
  return {
    getVersion: async () => ({ version: facts.version, api: apiVersion, engine: (await host.engines.choose()).kind }),
    getOpenApi: async () => facts.openApi(),
    getHealth: async () => {
      const [engine] = await Promise.all([engineState(host), host.units.ping(), requireDisk(host)])
      return { systemd: 'ok', engine, disk: 'ok' }
    },
  } satisfies Partial<Handlers>
}

async function engineState({ engines }: Host): Promise<string> {
  const engine = await engines.choose()
  try {
    await engine.ping()
    return 'ok'
  } catch (error) {
    if (error instanceof GearError) return explain(error)
    throw error
  }
}

async function requireDisk({ files, paths }: Host): Promise<void> {
  if (!(await files.exists(`${paths.base}/units`))) throw new GearError('STORAGE_FAILED', `${paths.base}/units is not there`)
}
