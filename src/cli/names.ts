/** Names that exist right now, for completion: containers, environments, images and repositories of this host and of others, and hosts to name. */
import { contract } from '../api/index.ts'
import { type Client, request } from '../client/index.ts'
import { FormatError, type LocatorHost, parseHost } from '../formats/index.ts'
import type { NameKind } from './command.ts'
import type { Context } from './context.ts'

/** A shell waits while somebody has pressed a key. */
const patienceMs = 1000
const hostsMax = 200

export interface Proposal {
  readonly value: string
  readonly brief: string
}

export interface Asking {
  readonly partial: string
  readonly context: Context
  readonly tokenFile: string | undefined
}

/** What every shell takes as it stands. Names come from other hosts, and bash puts them on the command line without quotes. */
const plainName = /^[\w.:/@%+=,[\]-]+$/

/** Of `node7/we` the names on node7; of `we` those of this machine, and the hosts there may be. */
export async function liveNames(kind: LiveKind, asking: Asking): Promise<readonly Proposal[]> {
  return (await allNames(kind, asking)).filter(({ value }) => plainName.test(value))
}

type LiveKind = Exclude<NameKind, 'command' | 'program' | 'file' | 'place'>
type HostKind = Exclude<LiveKind, 'host' | 'operation'>

async function allNames(kind: LiveKind, asking: Asking): Promise<readonly Proposal[]> {
  const { partial, context } = asking
  if (kind === 'host') return hostNames(context)
  if (kind === 'operation') return Object.values(contract).map(({ id, summary }) => ({ value: id, brief: summary }))
  // An image is named without a host, and may have a slash itself.
  const slash = kind === 'image' || kind === 'fingerprint' ? -1 : partial.indexOf('/')
  if (slash >= 0) return namesOn(kind, asking, partial.slice(0, slash))
  const [here, hosts] = await Promise.all([namesOn(kind, asking, ''), kind === 'image' || kind === 'fingerprint' ? [] : hostNames(context)])
  return [...here, ...hosts.map(({ value }) => ({ value: `${value}/`, brief: 'Host' }))]
}

async function namesOn(kind: HostKind, { context, tokenFile }: Asking, host: string): Promise<readonly Proposal[]> {
  const client = context.connect(hostOf(host), { tokenFile })
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)])
    const found = await ask(kind, client, signal)
    return host === '' ? found : found.map(({ value, brief }) => ({ value: `${host}/${value}`, brief }))
  } catch {
    // A host that cannot be asked has no names to propose; the command itself will say why.
    return []
  } finally {
    await client.close()
  }
}

function hostOf(text: string): LocatorHost {
  try {
    return parseHost(text)
  } catch (error) {
    if (error instanceof FormatError) throw new TypeError(`${text} is no host`, { cause: error })
    throw error
  }
}

async function ask(kind: HostKind, client: Client, signal: AbortSignal): Promise<readonly Proposal[]> {
  switch (kind) {
    case 'container': {
      const { containers } = await client.call(request('listContainers', { query: { all: true } }), { signal })
      return containers.map(({ id, activeState, subState }) => ({ value: id, brief: `${activeState} (${subState})` }))
    }
    case 'environment': {
      const { environments } = await client.call(request('listEnvironments', {}), { signal })
      return environments.map(({ id }) => ({ value: id, brief: 'Environment' }))
    }
    case 'repository': {
      const { repositories } = await client.call(request('listRepositories', {}), { signal })
      return repositories.map(({ id, branch }) => ({ value: id, brief: branch ?? 'Repository' }))
    }
    case 'build': {
      const { builds } = await client.call(request('listBuilds', {}), { signal })
      return builds.map(({ requestId, result, tag }) => ({ value: requestId, brief: `${result} ${tag}` }))
    }
    case 'fingerprint': {
      const { keys } = await client.call(request('listKeys', {}), { signal })
      return keys.map(({ fingerprint, algorithm }) => ({ value: fingerprint, brief: algorithm }))
    }
    case 'image': {
      const { text } = await client.call(request('listImages', {}), { signal })
      let whole = ''
      for await (const piece of text) whole += piece
      return whole
        .split('\n')
        .filter(line => line !== '')
        .map(value => ({ value: value.replace(/:latest$/, ''), brief: 'Image' }))
    }
  }
}

/** `GEAR_HOSTS`, or else the hosts that this machine has names for: of /etc/hosts and of those it went to with SSH. */
export async function hostNames(context: Context): Promise<readonly Proposal[]> {
  const given = context.variable('GEAR_HOSTS')
  const names = given === undefined ? await knownHosts(context) : given.split(/[\s,]+/)
  return [...new Set(names)]
    .filter(name => name !== '')
    .slice(0, hostsMax)
    .map(value => ({ value, brief: 'Host' }))
}

async function knownHosts(context: Context): Promise<readonly string[]> {
  const home = context.variable('HOME') ?? context.variable('USERPROFILE')
  const read = (path: string) => context.readTextFile(path).catch(() => '')
  const [table, known] = await Promise.all([read('/etc/hosts'), home === undefined ? '' : read(`${home}/.ssh/known_hosts`)])
  return [...hostsOfTable(table), ...hostsOfKeys(known)]
}

/** hosts(5): an address, then names. Those of this machine itself are left out. */
function hostsOfTable(text: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return /^(127\.|::1$|f[ef]0[0-2])/.test(address) ? [] : names
  })
}

/** The first field of known_hosts (sshd(8)): names and addresses between commas; hashed ones begin with `|`. */
function hostsOfKeys(text: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    const [names = ''] = line.split(' ')
    return /^[#@|]/.test(names) ? [] : names.split(',').filter(name => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name))
  })
}
