/**
 * A host in memory with an agent's handlers on it, for stories about the whole domain: requests go through the contract as on the wire, and
 * what is left on disk can be compared and checked. A second agent on the same host is a new process; nothing but the disk, systemd and
 * the engine connects the two.
 */
import { expect } from 'vitest'
import {
  type Caller,
  type ContainerId,
  type ContainerStatus,
  containerUnit,
  contract,
  fromText,
  fromWire,
  type Handlers,
  type Id,
  isId,
  type OperationName,
  type RequestId,
  type TextResult,
} from '../../src/api/index.ts'
import { type DomainOptions, makeHandlers, prepareHost } from '../../src/domains/index.ts'
import { newRequestId, parsePortPairs, readUnitMetadata, readUnitPortPairs } from '../../src/formats/index.ts'
import { type FakeHost, fakeHost } from '../../src/host/fakes.ts'
import type { Host } from '../../src/host/index.ts'
import type { DryRun } from '../../src/lib/index.ts'

export const base = '/var/lib/containers'
export const systemd = '/etc/systemd/system'
export const portsFolder = `${base}/ports/interfaces/1`

/** A host that is ready for containers. */
export async function newHost(): Promise<FakeHost> {
  const host = fakeHost()
  await prepareHost(host)
  return host
}

interface CallOptions {
  readonly requestId?: RequestId
  readonly caller?: Caller
  readonly signal?: AbortSignal
  readonly dryRun?: DryRun
}

export type Agent = ReturnType<typeof agentOn>

/** An agent on the host: its handlers, called with what a client would send. */
export function agentOn(host: Host, onStep?: DomainOptions['onStep']) {
  const handlers: Handlers = makeHandlers(host, { version: 'version 0', openApi: () => ({}), ...(onStep === undefined ? {} : { onStep }) })

  function call<Name extends OperationName>(name: Name, input: Input, options: CallOptions = {}): ReturnType<Handlers[Name]> {
    const operation = contract[name]
    const handler = handlers[name] as (call: unknown) => ReturnType<Handlers[Name]>
    return handler({
      params: fromText(operation.params as never, input.params ?? {}),
      query: fromText(operation.query as never, input.query ?? {}),
      body: operation.body === undefined ? undefined : fromWire(operation.body as never, input.body ?? {}),
      wants: input.wants ?? 'text',
      mediaTypes: [],
      caller: options.caller ?? { isRoot: true },
      requestId: options.requestId ?? (newRequestId(host.clock.randomBytes(16)) as RequestId),
      signal: options.signal ?? new AbortController().signal,
      dryRun: options.dryRun,
    })
  }

  return {
    call,
    async install(id: string, body: Readonly<Record<string, unknown>> = {}, options?: CallOptions) {
      const { text, sideData } = (await call(
        'installContainer',
        { params: { id }, body: { Image: 'acme/shop', ...body } },
        options,
      )) as TextResult
      return { text: text as string, ports: parsePortPairs(sideData?.['PortMapping'] ?? '') }
    },
    delete: (id: string, query: Readonly<Record<string, string>> = {}) => call('deleteContainer', { params: { id }, query }),
    start: async (id: string) => textOf(await call('startContainer', { params: { id } })),
    stop: async (id: string) => textOf(await call('stopContainer', { params: { id } })),
    restart: async (id: string) => textOf(await call('restartContainer', { params: { id } })),
    async status(id: string, query: Readonly<Record<string, string>> = {}): Promise<ContainerStatus> {
      const result = await call('containerStatus', { params: { id }, query, wants: 'data' })
      return (result as { readonly data: ContainerStatus }).data
    },
    statusText: async (id: string) => textOf(await call('containerStatus', { params: { id } })),
    ports: async (id: string) => (await call('containerPorts', { params: { id } })).ports,
    list: async (query: Readonly<Record<string, string>> = {}) => (await call('listContainers', { query })).containers,
    purge: () => call('purgeContainers', {}),
    putEnvironment: (id: string, body: unknown) => call('putEnvironment', { params: { id }, body }),
    environment: async (id: string) => textOf(await call('getEnvironment', { params: { id } })),
  }
}

interface Input {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly wants?: 'text' | 'data'
}

/** The whole text of an answer. */
export async function textOf(result: TextResult | { readonly data: unknown }): Promise<string> {
  if (!('text' in result)) throw new Error('the answer is no text')
  if (typeof result.text === 'string') return result.text
  let whole = ''
  for await (const piece of result.text) whole += piece
  return whole
}

export function unitOf(id: string) {
  return containerUnit(id as ContainerId)
}

export function unitPath(id: string): string {
  return `${base}/units/${id.slice(0, 2)}/ctr-${id}.service`
}

/**
 * Everything on disk but empty folders, which mean nothing: partitions stay when the last file in them goes. Nor does a note to the helpers that
 * saves them a question: a boot forgets it.
 */
export function disk(host: FakeHost): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(host.files.tree()).filter(([path, text]) => text !== '/' && !path.endsWith('/no-data')))
}

/** Where external ports lead: the version file each reservation points at. */
export function reservations(host: FakeHost): ReadonlyMap<number, string> {
  return new Map(
    Object.entries(host.files.tree(portsFolder))
      .filter(([, text]) => text !== '/')
      .map(([path, text]) => [Number(path.slice(path.lastIndexOf('/') + 1)), text.replace(/^-> /, '')]),
  )
}

/**
 * What is true of a disk on which nothing is half done: each unit is its current version, names ports that are its own, and is seen by systemd;
 * each reservation is used; nothing is left of what broke off.
 */
export function expectWhole(host: FakeHost): void {
  expect([...faultsOfUnits(host), ...faultsOfLinks(host)]).toEqual([])
}

function faultsOfUnits(host: FakeHost): readonly string[] {
  const faults: string[] = []
  const reserved = new Map(reservations(host))
  for (const [path, text] of Object.entries(host.files.tree(`${base}/units`))) {
    if (path.endsWith('.replace.tmp')) faults.push(`${path} is left of a swap`)
    const id = /\/units\/(..)\/ctr-(\1.*)\.service$/.exec(path)?.[2]
    if (id === undefined) continue
    const version = `${base}/units/${id.slice(0, 2)}/${id}/${readUnitMetadata(text).get('X-ContainerRequestId')?.[0]}`
    if (!host.files.isSameFile(path, version)) faults.push(`${path} is not the version it names`)
    for (const { external } of readUnitPortPairs(text)) {
      if (reserved.get(external) !== version) faults.push(`port ${external} of ${id} leads to ${reserved.get(external)}`)
      reserved.delete(external)
    }
  }
  return [...faults, ...[...reserved].map(([port, version]) => `port ${port} is reserved for ${version}, which does not use it`)]
}

function faultsOfLinks(host: FakeHost): readonly string[] {
  return Object.entries(host.files.tree(systemd))
    .filter(([path, text]) => text !== '/' && host.files.follow(path) === undefined)
    .map(([path, text]) => `${path} ${text} leads nowhere`)
}

/** The error code a promise is rejected with; undefined when it is not. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error)
  }
}

export function asId(text: string): Id {
  if (!isId(text)) throw new Error(`${text} is no id`)
  return text
}

/** A port as an install names it. */
export const port = (internal: number, external = 0) => ({ Internal: internal, External: external })

/** A host with an agent on it, whose time passes by `later`. */
export async function setUp() {
  const host = await newHost()
  const agent = agentOn(host)
  /** Time passes, so that what comes later is later. */
  const later = () => host.clock.advance(1000)
  /** Has systemd take a second for every start of the container. */
  const startSlowly = async (id: string, work: () => Promise<unknown>) => {
    host.units.behave(unitOf(id), { start: 'pending' })
    const result = await work()
    await later()
    host.units.finishJob(unitOf(id))
    await later()
    return result
  }
  return { host, agent, later, startSlowly }
}
