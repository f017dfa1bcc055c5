/**
 * From a host as the user names it to a client: over TCP to another machine, through the agent's socket on this one, and with no agent
 * running here, to the work itself in this process under the lock of the one writer.
 */
import { GearError } from '../api/index.ts'
import { agentSocketPath, type Client, connect, freshRequestId, isAgentAbsent, localClient, withFallback } from '../client/index.ts'
import { defaultAgentPort, type LocatorHost } from '../formats/index.ts'
import { systemName } from './summaries.ts'

export interface ConnectionOptions {
  readonly tokenFile: string | undefined
  /** Another socket than the usual. */
  readonly socketPath: string | undefined
  readonly isRoot: boolean
  /** As Node names the system. */
  readonly platform: string
  /** Of this program, which is the agent's when the work is done here. */
  readonly version: string
}

/** Nothing is sent or opened before the first call. */
export function openClient(host: LocatorHost, { tokenFile, socketPath, isRoot, platform, version }: ConnectionOptions): Client {
  if (host.kind === 'remote') {
    return connect({ kind: 'tcp', host: host.name, port: host.port ?? defaultAgentPort }, tokenFile === undefined ? {} : { tokenFile })
  }
  if (platform !== 'linux') return socketPath === undefined ? noClient(platform) : connect({ kind: 'socket', path: socketPath })
  return localHostClient({ socketPath: socketPath ?? agentSocketPath, isRoot, version })
}

/** A system without systemd can be asked for nothing. */
function noClient(platform: string): Client {
  const refuse = async (): Promise<never> => {
    throw new GearError('LOCAL_UNSUPPORTED', `There are no containers on ${systemName(platform)} itself`)
  }
  return {
    call: refuse,
    open: refuse,
    close: async () => undefined,
  }
}

interface LocalOptions extends Pick<ConnectionOptions, 'isRoot' | 'version'> {
  readonly socketPath: string
}

function localHostClient({ socketPath, isRoot, version }: LocalOptions): Client {
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
