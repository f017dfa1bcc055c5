/** Handlers that answer by the id they are asked for, so that a fixture can name the outcome it is about. */
import { GearError, type Handlers } from '../../src/api/index.ts'

export interface SeenCall {
  readonly operation: string
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** Outcomes that are failures, by id. */
const failures: Readonly<Record<string, () => Error>> = {
  'un-known': () => new GearError('CONTAINER_UNKNOWN', 'There is no container un-known'),
  'port-taken': () =>
    new GearError('PORT_TAKEN', 'The ports could not be reserved', { cause: new Error('port 4022 belongs to shop-db-1') }),
  'in-transition': () => new GearError('CONTAINER_CHANGING', 'The container in-transition is being started'),
  'name-taken': () => new GearError('NAME_TAKEN', 'The engine has a container name-taken'),
  'with-data': () => new GearError('SYSTEMD_FAILED', 'Stopping failed', { data: [{ index: 0, message: 'no such job' }] }),
  'no-systemd': () => new GearError('SYSTEMD_UNAVAILABLE', 'systemd cannot be reached'),
  'a-mistake': () => new TypeError('undefined is not a function'),
  sockets: () => new GearError('SOCKET_ACTIVATION_UNSUPPORTED', 'SocketActivation is not supported yet'),
}

export function fixtureHandlers(seen: SeenCall[]): Handlers {
  const called = (operation: string, call: { readonly params: unknown; readonly query: unknown; readonly body: unknown }): void => {
    const { params, query, body } = call
    seen.push({ operation, params, query, ...(body === undefined ? {} : { body }) } as SeenCall)
    const { id = '' } = params as { readonly id?: string }
    const failure = failures[id]
    if (failure !== undefined) throw failure()
  }
  return {
    installContainer: async call => {
      called('installContainer', call)
      const pairs = call.body.ports.map(({ internal, external }, index) => `${internal}:${external === 0 ? 4000 + index : external}`)
      const sideData = pairs.length === 0 ? {} : { sideData: { PortMapping: pairs.join(',') } }
      return { text: call.body.started ? `${call.params.id} is starting\n` : `${call.params.id} is installed\n`, ...sideData }
    },
    deleteContainer: async call => called('deleteContainer', call),
    startContainer: async call => {
      called('startContainer', call)
      return { text: `${call.params.id} is starting\n` }
    },
    stopContainer: async call => {
      called('stopContainer', call)
      return { text: call.body.wait ? stopping(call.params.id) : `${call.params.id} is stopping\n` }
    },
    restartContainer: async call => {
      called('restartContainer', call)
      return { text: `${call.params.id} is restarting\n` }
    },
    takeLease: async call => {
      called('takeLease', call)
      return { name: call.params.name, holder: call.body.holder, endsAt: '2026-01-01T00:00:00Z', renewed: false }
    },
    releaseLease: async call => called('releaseLease', call),
    listLeases: async call => {
      called('listLeases', call)
      const times = { since: '2026-01-01T00:00:00Z', endsAt: '2026-01-01T00:00:20Z' }
      return { leases: [{ name: 'shop.json', holder: 'ann@ops1', ...times, containers: ['shop-web'] }] }
    },
    putKeys: async call => called('putKeys', call),
    postKeys: async call => called('postKeys', call),
    getFileKind: async call => {
      called('getFileKind', call)
      return { kind: 'file' }
    },
    readFiles: async call => {
      called('readFiles', call)
      return { bytes: stream([Buffer.from('a tar')]), mediaType: 'application/x-tar', fileName: 'web.tar' }
    },
    writeFiles: async call => {
      called('writeFiles', call)
      throw new Error('no fixture opens a session')
    },
    execContainer: async call => {
      called('execContainer', call)
      throw new Error('no fixture opens a session')
    },
    listKeys: async call => {
      called('listKeys', call)
      const key = { fingerprint: 'I5F2ohFZ1whUO0NF62juMIuPG5nfKTgonWPaKWpY13M', sha256: 'SHA256:x', algorithm: 'ssh-rsa' }
      return { keys: [{ ...key, containers: [{ id: 'shop-web-1' }], repositories: [{ id: 'shop-src', write: true }] }] }
    },
    deleteKey: async call => called('deleteKey', call),
    containerStatus: async call => {
      called('containerStatus', call)
      if (call.wants === 'text')
        return { text: `ctr-${call.params.id}.service - Container ${call.params.id}\n   Active: active (running)\n` }
      const { id } = call.params
      return {
        data: {
          id,
          unit: `ctr-${id}.service`,
          activeState: 'active',
          subState: 'running',
          loadState: 'loaded',
          enabled: true,
          restarts: 0,
          ports: [{ internal: 8080, external: 4000 }],
          image: 'acme/shop',
          restartNeeded: false,
        },
      }
    },
    containerLog: async call => {
      called('containerLog', call)
      return { text: stream(['first line\n', 'second line\n']) }
    },
    containerPorts: async call => {
      called('containerPorts', call)
      return {
        ports: [
          { internal: 8080, external: 4000 },
          { internal: 22, external: 4022 },
        ],
      }
    },
    waitContainer: async call => {
      called('waitContainer', call)
      return stream([
        { event: 'log' as const, message: 'pulling acme/shop' },
        { event: 'reached' as const, message: `${call.params.id} has started` },
      ])
    },
    containersUsage: async call => {
      called('containersUsage', call)
      return { atMs: 0, containers: [] }
    },
    listContainers: async call => {
      called('listContainers', call)
      return {
        containers: [
          { id: 'shop-db-1', activeState: 'inactive', subState: 'dead', loadState: 'loaded' },
          { id: 'shop-web-1', activeState: 'active', subState: 'running', loadState: 'loaded', jobType: 'start' },
        ],
      }
    },
    purgeContainers: async call => called('purgeContainers', call),
    getEnvironment: async call => {
      called('getEnvironment', call)
      return { text: 'MODE=prod\nMODE=test\n' }
    },
    listEnvironments: async call => {
      called('listEnvironments', call)
      return { environments: [{ id: 'shop-env' }] }
    },
    putEnvironment: async call => called('putEnvironment', call),
    patchEnvironment: async call => called('patchEnvironment', call),
    createRepository: async call => {
      called('createRepository', call)
      return { text: stream(['Cloning\n', `Repository ${call.params.id} is created\n`]) }
    },
    getRepository: async call => {
      called('getRepository', call)
      return { id: call.params.id, branch: 'main', account: `git-${call.params.id}` }
    },
    listRepositories: async call => {
      called('listRepositories', call)
      return { repositories: [{ id: 'shop-src', branch: 'main', account: 'git-shop-src' }] }
    },
    makeRepositoryKey: async call => {
      called('makeRepositoryKey', call)
      return { publicKey: `ssh-ed25519 AAAA git-${call.params.id}`, sha256: 'SHA256:abc' }
    },
    deleteRepository: async call => called('deleteRepository', call),
    deployRepository: async call => {
      called('deployRepository', call)
      return stream([{ event: 'deployed' as const, message: 'it runs' }])
    },
    archiveRepository: async call => {
      called('archiveRepository', call)
      if (call.params.ref === 'missing')
        throw new GearError('REF_UNKNOWN', `Repository ${call.params.id} has nothing that is called missing`)
      return { bytes: stream([Buffer.from('PK-a zip')]), mediaType: 'application/zip', fileName: 'shop-src-main.zip' }
    },
    linkContainers: async call => called('linkContainers', call),
    listLinks: async call => {
      called('listLinks', call)
      const { id } = call.params
      const link = { fromHost: '127.0.0.1', fromPort: 6379, toHost: '10.1.2.3', toPort: 4100 }
      return { id, installed: true, links: [{ ...link, state: 'applied' as const, address: '10.1.2.3', answers: true }] }
    },
    listImages: async call => {
      called('listImages', call)
      return { text: 'acme/shop:latest\n' }
    },
    runJob: async call => {
      called('runJob', call)
      return { text: stream(['checked\n', 'done\n']) }
    },
    buildImage: async call => {
      called('buildImage', call)
      return { text: stream(['Assembling\n', `Built ${call.body.tag}\n`]) }
    },
    listBuilds: async call => {
      called('listBuilds', call)
      return { builds: [aBuild] }
    },
    getBuild: async call => {
      called('getBuild', call)
      return aBuild
    },
    buildLog: async call => {
      called('buildLog', call)
      return { text: 'Assembling\n' }
    },
    stopBuild: async call => called('stopBuild', call),
    getVersion: async () => ({ version: '0.1.0', api: '1', engine: 'docker' }),
    getHealth: async () => ({ systemd: 'ok', engine: 'ok', disk: 'ok' }),
    getOpenApi: async () => ({ openapi: '3.1.0', paths: {} }),
  }
}

const aBuild = {
  id: 'QUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ',
  requestId: 'AAAAAAAAAAAAAAAAAAAAAA',
  activeState: 'active',
  subState: 'running',
  source: 'https://example.com/shop.git',
  baseImage: 'acme/node',
  tag: 'acme/shop',
  result: 'running',
  startedAt: '2026-01-02T03:04:05.000Z',
}

async function* stream<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

async function* stopping(id: string): AsyncGenerator<string> {
  yield `Stopping ${id}\n`
  if (id === 'stop-fails') throw new GearError('SYSTEMD_FAILED', 'The stop job ended with timeout')
  yield `${id} is stopped\n`
}
