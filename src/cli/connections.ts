/**
 * From a host as the user names it to a client: over TCP to another machine, through the agent's socket on this one, and with no agent
 * running here, to the work itself in this process under the lock of the one writer.
 */
import { GearError } from '../api/index.ts'
import { agentSocketPath, type Client, connect, freshRequestId, isAgentAbsent, localClient, withFallback } from '../client/index.ts'
import { defaultAgentPort, type LocatorHost } from '../formats/index.ts'

export interface ConnectionOptions {
  readonly tokenFile: string | undefined
  /** Another socket than the usual. */
  readonly socketPath: string | undefined
  readonly isRoot: boolean
  /** Of this program, which is the agent's when the work is done here. */
  readonly version: string
}

/** Nothing is sent or opened before the first call. */
export function openClient(host: LocatorHost, { tokenFile, socketPath = agentSocketPath, isRoot, version }: ConnectionOptions): Client {
  if (host.kind === 'remote') {
    return connect({ kind: 'tcp', host: host.name, port: host.port ?? defaultAgentPort }, tokenFile === undefined ? {} : { tokenFile })
  }
  return withFallback({
    first: connect({ kind: 'socket', path: socketPath }),
    isAbsent: isAgentAbsent,
    open: async () => {
      if (!isRoot) throw new GearError('CALLER_REFUSED', `No agent answers on ${socketPath}, and only root can do its work without one`)
      const { openLocal } = await import('../agent/index.ts')
      return localClient(openLocal({ version }), freshRequestId)
    },
  })
}
