/**
 * Dry runs against the real thing: what every operation says it would do, that it does nothing of it, and that it does just that when it is asked
 * to. An operation that declares a dry run has its example here.
 */
import { describe, expect, it } from 'vitest'
import { contract, type ImageName, type Operation, type OperationName, type RequestId } from '../../src/api/index.ts'
import { makeRepository } from '../../src/domains/index.ts'
import { parseAuthorizedKey, sshKeyFingerprint } from '../../src/formats/index.ts'
import type { FakeHost } from '../../src/host/fakes.ts'
import { DryRun } from '../../src/lib/index.ts'
import { type Agent, agentOn, asId, base, newHost } from './machine.ts'

interface Example {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** What is there before. */
  readonly arrange?: (agent: Agent, host: FakeHost) => Promise<unknown>
}

const params = { id: 'shop' }
const onePort = { Ports: [{ Internal: 80, External: 0 }] }
const running = (agent: Agent) => agent.install('shop', { ...onePort, Started: true })

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVsMWF/wy8Ln4oIp4uSMZ87hhAsZYsC059XG+84Cf7U'
const keys = { Keys: [{ Type: 'authorized_keys', Value: key }], Permissions: [{ Type: 'container', With: 'shop' }] }
const keyStored = async (agent: Agent) => {
  await agent.install('shop', onePort)
  await agent.call('putKeys', { body: keys })
}

const lease = { Token: 'a'.repeat(22), Holder: 'ann@ops1', Containers: ['shop'], Seconds: 20 }

const buildId = 'zWJ2s4o0QnuNn2iTfyQ3bg' as RequestId
const build = {
  Source: '/srv/shop',
  BaseImage: 'acme/node',
  Tag: 'acme/shop',
  Environment: { Variables: [{ Name: 'A', Value: 'secret' }] },
}
const sourceThere = async (_: Agent, host: FakeHost) => {
  host.builder.addImage('acme/node')
  host.files.put('/srv/shop/.s2i/bin/assemble', '#!/bin/sh\n')
}

/** A repository with a build, to which something was pushed. */
const pushed = async (agent: Agent, host: FakeHost) => {
  await running(agent)
  const wanted = { baseImage: 'acme/node' as ImageName, tag: 'acme/shop:2' as ImageName, restart: asId('shop') }
  await makeRepository(host, { id: asId('shop-src'), source: undefined, build: wanted }, { say: () => undefined })
  host.git.push(`${base}/git/shop-src`, { 'refs/heads/main': 'a'.repeat(40) })
}

const examples: Partial<Readonly<Record<OperationName, Example>>> = {
  installContainer: {
    params,
    body: {
      Image: 'acme/shop',
      Started: true,
      ...onePort,
      Environment: { Id: 'shop-env', Variables: [{ Name: 'A', Value: 'secret' }] },
      NetworkLinks: [{ FromPort: 6379, ToPort: 4100, ToHost: '10.1.2.3' }],
    },
  },
  deleteContainer: { params, arrange: running },
  startContainer: { params, arrange: agent => agent.install('shop', onePort) },
  stopContainer: { params, arrange: running },
  restartContainer: { params, arrange: running },
  purgeContainers: { arrange: running },
  linkContainers: {
    body: { Links: [{ Id: 'shop', NetworkLinks: [{ FromPort: 6379, ToPort: 4100, ToHost: '10.1.2.3' }] }] },
    arrange: running,
  },
  createRepository: { params, body: { CloneUrl: 'https://git.example/acme/shop.git' } },
  makeRepositoryKey: { params: { id: 'shop-src' } },
  deleteRepository: { params, arrange: async (_, host) => host.files.put(`${base}/git/shop/HEAD`, 'ref: refs/heads/main\n') },
  putKeys: { body: keys, arrange: agent => agent.install('shop', onePort) },
  postKeys: { body: keys, arrange: agent => agent.install('shop', onePort) },
  deleteKey: { params: { fingerprint: sshKeyFingerprint(parseAuthorizedKey(key).key) }, arrange: keyStored },
  takeLease: { params: { name: 'shop.json' }, body: lease },
  releaseLease: {
    params: { name: 'shop.json' },
    query: { token: lease.Token },
    arrange: agent => agent.call('takeLease', { params: { name: 'shop.json' }, body: lease }),
  },
  buildImage: { body: build, arrange: sourceThere },
  stopBuild: {
    params: { build: buildId },
    arrange: async (agent, host) => {
      await sourceThere(agent, host)
      void agent.call('buildImage', { body: build }, { requestId: buildId }).catch(() => undefined)
      while (host.units.transients.length === 0) await new Promise(resolve => setImmediate(resolve))
    },
  },
  deployRepository: { params: { id: 'shop-src' }, arrange: pushed },
  writeFiles: {
    params,
    body: { Folder: '/etc' },
    arrange: async (agent, host) => {
      await running(agent)
      host.engine.addContainer('shop', { labels: { 'gear.id': 'shop' } })
      host.engine.files.set('/etc', undefined)
    },
  },
  putEnvironment: { params, body: { Variables: [{ Name: 'A', Value: 'secret' }] } },
  patchEnvironment: { params, body: { Variables: [{ Name: 'A', Value: 'secret' }] }, arrange: agent => agent.putEnvironment('shop', {}) },
}

const planned = (Object.values(contract) as Operation[]).filter(operation => operation.hasDryRun === true)

async function dryRun(name: OperationName, example: Example) {
  const host = await newHost()
  const agent = agentOn(host)
  await example.arrange?.(agent, host)
  host.units.forgetCalls()
  host.engine.forgetCalls()
  host.builder.forgetCalls()
  const before = snapshot(host)
  const run = new DryRun()
  await agent.call(name, example, { dryRun: run })
  return { host, agent, before, steps: run.steps }
}

/** Files, folders, links and units. */
function snapshot(host: FakeHost) {
  return host.files.tree('/')
}

describe.each(planned.map(({ id }) => [id as OperationName]))('a dry run of %s', name => {
  const example = examples[name] ?? {}

  it('has an example in this file', () => {
    expect(Object.keys(examples)).toContain(name)
  })

  it('says what would be done, each step with its reason, and no value of a variable', async () => {
    const { steps } = await dryRun(name, example)
    expect(steps.length).toBeGreaterThan(0)
    for (const step of steps) expect(step.reason).not.toBe('')
    expect(JSON.stringify(steps)).not.toContain('secret')
  })

  it('changes nothing on disk, and asks systemd and the engine for nothing but their state', async () => {
    const { host, before } = await dryRun(name, example)
    expect(snapshot(host)).toEqual(before)
    const changes = /^(write|remove|queue|start|stop|reload|reset|enable|disable|kill|run|create|pull)/
    expect([...host.units.calls, ...host.engine.calls, ...host.builder.calls].filter(call => changes.test(call))).toEqual([])
  })
})

/** What others do, gear cannot tell before: a command that is run in a container. */
const unplannable = ['execContainer', 'runJob']

describe('every operation that changes something', () => {
  it('has a dry run', () => {
    const changing = (Object.values(contract) as Operation[]).filter(({ effect, hasDryRun }) => effect !== 'read' && hasDryRun !== true)
    expect(changing.map(({ id }) => id)).toEqual(unplannable)
  })
})

/** Whose steps are carried out by a unit or a session, where no observer of the agent sees them; a story of test/host looks at those. */
const elsewhere = ['createRepository', 'makeRepositoryKey', 'deleteRepository', 'writeFiles', 'buildImage', 'deployRepository']

describe('the plan of a dry run', () => {
  it.each(planned.map(({ id }) => id as OperationName).filter(name => !elsewhere.includes(name)))('is what %s then does', async name => {
    const host = await newHost()
    const applied: string[] = []
    let isWatched = false
    const agent = agentOn(host, (_, { kind, reason }, when) => {
      if (isWatched && when === 'before') applied.push(`${kind}: ${reason}`)
    })
    const example = examples[name] ?? {}
    await example.arrange?.(agent, host)
    const run = new DryRun()
    isWatched = true
    await agent.call(name, example, { dryRun: run })
    expect(applied).toEqual([])
    await agent.call(name, example)
    expect(run.steps.map(({ kind, reason }) => `${kind}: ${reason}`)).toEqual(applied)
  })

  it('is the plan that is applied, ports and all', async () => {
    const host = await newHost()
    const applied: string[] = []
    const agent = agentOn(host, (_, step, when) => {
      if (when === 'before') applied.push(`${step.kind}: ${step.reason}`)
    })
    const example = examples.installContainer as Example
    const run = new DryRun()
    await agent.call('installContainer', example, { dryRun: run })
    expect(applied).toEqual([])
    const { ports } = await agent.install('shop', example.body as Record<string, unknown>)
    expect(run.steps.map(({ kind, reason }) => `${kind}: ${reason}`)).toEqual(applied)
    expect(run.steps.find(({ kind }) => kind === 'reservePorts')?.on).toEqual([String(ports[0]?.external)])
  })

  it('is empty where nothing is to be done', async () => {
    const { steps } = await dryRun('startContainer', { params, arrange: running })
    expect(steps).toEqual([])
  })

  it('fails as the call itself would', async () => {
    await expect(dryRun('startContainer', { params })).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' })
    const taken = { params, body: { Image: 'acme/shop', Ports: [{ Internal: 80, External: 4000 }] } }
    await expect(dryRun('installContainer', { ...taken, arrange: agent => agent.install('other', onePort) })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
    })
  })
})
