/**
 * How git gets to another host: which transports it may use, with whose keys, and for callers who may not reach this host, by a way that checks
 * every connection. curl is told of a proxy; ssh and git:// are led to a port of ours and told whom to expect behind it.
 */
import { knownHostName, parseRemoteAddress, type RemoteAddress } from '../../formats/index.ts'
import type { Guard } from '../network/guard.ts'
import { type GuardedWay, openGuardedWay } from '../network/guarded-way.ts'
import { type Protocols, sshCommand } from './environment.ts'
import type { SshFiles } from './port.ts'

export interface ReachOptions {
  readonly mayReachHost: boolean
  readonly ssh?: SshFiles | undefined
  readonly isGuarded?: Guard | undefined
}

/** Closed when git has ended. */
export interface Reach extends AsyncDisposable {
  readonly protocols: Protocols
  readonly settings: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, string>>
  /** Why a connection came to nothing, where that is known better here than to git. */
  failure(): string | undefined
}

/** `address` is what git is told to fetch from; submodules may lead elsewhere. */
export async function openReach(address: string, { mayReachHost, ssh, isGuarded }: ReachOptions): Promise<Reach> {
  const files = ssh === undefined ? [] : sshOptions(ssh)
  if (mayReachHost) {
    return {
      protocols: { https: 'always', http: 'always', ssh: 'always', git: 'always' },
      settings: { 'core.sshCommand': sshCommand(files) },
      variables: {},
      failure: () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  const remote = remoteOf(address)
  const way = await openGuardedWay(isGuarded)
  const led = await lead(way, remote)
  return {
    // submodules of other hosts would have to be led there as well
    protocols: { https: 'always', http: 'always', ...led.protocols },
    settings: { 'http.proxy': way.proxyUrl, 'core.sshCommand': sshCommand([...files, ...led.sshOptions]), ...led.settings },
    variables: led.variables,
    failure: () => way.failure,
    [Symbol.asyncDispose]: () => way[Symbol.asyncDispose](),
  }
}

function remoteOf(address: string): RemoteAddress | undefined {
  if (/^(?:file:|\/)/i.test(address)) return undefined
  return parseRemoteAddress(address, rule => new Error(`an address ${rule}`))
}

interface Led {
  readonly protocols: Protocols
  readonly sshOptions: readonly string[]
  readonly settings: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, string>>
}

const nothing: Led = { protocols: {}, sshOptions: [], settings: {}, variables: {} }

async function lead(way: GuardedWay, remote: RemoteAddress | undefined): Promise<Led> {
  if (remote?.protocol !== 'ssh' && remote?.protocol !== 'git') return nothing
  const { protocol, host, port, path, text } = remote
  const local = await way.forward(host, port)
  if (protocol === 'ssh') {
    const where = ['-oHostName=127.0.0.1', `-oPort=${local}`, `-oHostKeyAlias=${knownHostName(remote)}`]
    return { ...nothing, protocols: { ssh: 'user' }, sshOptions: [...where, '-oProxyCommand=none', '-oProxyJump=none', '-oCheckHostIP=no'] }
  }
  const authority = text.slice('git://'.length, text.length - path.length)
  return {
    ...nothing,
    protocols: { git: 'user' },
    settings: { [`url.git://127.0.0.1:${local}/.insteadOf`]: `git://${authority}/` },
    // a daemon may serve several hosts (git-daemon(1), --interpolated-path)
    variables: { GIT_OVERRIDE_VIRTUAL_HOST: authority },
  }
}

/** ssh expands `%` in names of files, and takes blanks for ends. */
function sshOptions({ keyPath, knownHostsPath }: SshFiles): readonly string[] {
  const file = (path: string): string => `"${path.replaceAll('%', '%%')}"`
  return [
    '-oIdentitiesOnly=yes',
    '-oIdentityAgent=none',
    `-oIdentityFile=${file(keyPath)}`,
    `-oUserKnownHostsFile=${file(knownHostsPath)}`,
    '-oStrictHostKeyChecking=yes',
    '-oUpdateHostKeys=no',
  ]
}
