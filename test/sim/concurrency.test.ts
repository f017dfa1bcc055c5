/** Many requests at once, on one agent and on two that write the same disk: each port has one owner, and nobody fails for another's work. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { portLink } from '../../src/domains/layout/index.ts'
import { type Agent, agentOn, base, codeOf, expectWhole, newHost, port, reservations } from './machine.ts'

const ids = (count: number) => Array.from({ length: count }, (_, index) => `shop-${index}`)

describe('many installs at once', () => {
  it('never share a port', async () => {
    const host = await newHost()
    const agent = agentOn(host)
    const installed = await Promise.all(ids(20).map(id => agent.install(id, { Ports: [port(80), port(443)], Started: true })))
    const externals = installed.flatMap(({ ports }) => ports.map(pair => pair.external))
    expect(new Set(externals).size).toBe(40)
    expectWhole(host)
  })

  it('never share a port when two agents write one disk', async () => {
    const host = await newHost()
    const agents = [agentOn(host), agentOn(host)]
    const installs = ids(20).map((id, index) => agents[index % 2]?.install(id, { Ports: [port(80), port(443)] }))
    const externals = (await Promise.all(installs)).flatMap(installed => installed?.ports.map(pair => pair.external) ?? [])
    expect(new Set(externals).size).toBe(40)
    expectWhole(host)
  })

  it('give a port that all of them name to one', async () => {
    const host = await newHost()
    const agents = [agentOn(host), agentOn(host)]
    const codes = await Promise.all(
      ids(20).map((id, index) => codeOf((agents[index % 2] as Agent).install(id, { Ports: [port(80, 39_485)] }))),
    )
    expect(codes.filter(code => code === undefined)).toHaveLength(1)
    expect(new Set(codes.filter(code => code !== undefined))).toEqual(new Set(['PORT_TAKEN']))
    expect(await agentOn(host).list({ all: '1' })).toHaveLength(1)
    expectWhole(host)
  })

  it('get other ports when those that were chosen for them are named by others meanwhile', async () => {
    const host = await newHost()
    const agent = agentOn(host)
    const named = ids(10).map((id, index) => agent.install(`${id}-named`, { Ports: [port(80, 4000 + index)] }))
    const chosen = ids(10).map(id => agent.install(id, { Ports: [port(80)] }))
    const codes = await Promise.all([...named, ...chosen].map(codeOf))
    expect(codes.slice(10)).toEqual(Array.from({ length: 10 }, () => undefined))
    expectWhole(host)
  })

  it('take turns where they are of one id, and the last one counts', async () => {
    const host = await newHost()
    const agent = agentOn(host)
    await Promise.all([1, 2, 3, 4, 5].map(version => agent.install('shop', { Image: `acme/shop:${version}`, Ports: [port(80)] })))
    expect((await agent.status('shop')).image).toBe('acme/shop:5')
    expect([...reservations(host).keys()]).toEqual([4000])
    expectWhole(host)
  })

  it('share the reloads they need', async () => {
    const host = await newHost()
    const agent = agentOn(host)
    await Promise.all(ids(20).map(id => agent.install(id)))
    const reloads = host.units.reloadCount
    await Promise.all(ids(20).map(id => agent.install(id, { Image: 'acme/shop:2' })))
    expect(host.units.reloadCount - reloads).toBeLessThanOrEqual(3)
  })
})

describe('any mixture of requests at once', () => {
  const ids = ['shop', 'shop-data', 'shop-two', 'shop.one', 'other']
  const request = fc.record({
    id: fc.constantFrom(...ids),
    kind: fc.constantFrom('install', 'install', 'install', 'delete', 'deleteAll', 'start', 'stop', 'restart', 'putEnvironment', 'list'),
    agent: fc.nat(1),
    ports: fc.uniqueArray(fc.record({ Internal: fc.integer({ min: 80, max: 82 }), External: fc.constantFrom(0, 0, 4000, 4001, 39_485) }), {
      maxLength: 3,
      comparator: (one, other) => one.Internal === other.Internal || (one.External !== 0 && one.External === other.External),
    }),
    image: fc.constantFrom('acme/shop:1', 'acme/shop:2'),
    isStarted: fc.boolean(),
    hasLinks: fc.boolean(),
    environment: fc.constantFrom(undefined, 'shop-env', 'both-env'),
  })
  type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never

  function send(agent: Agent, { id, kind, ports, image, isStarted, hasLinks, environment }: Request): Promise<unknown> {
    switch (kind) {
      case 'install':
        return agent.install(id, {
          Image: image,
          Ports: ports,
          Started: isStarted,
          ...(hasLinks ? { NetworkLinks: [{ FromPort: 1 }] } : {}),
          ...(environment === undefined ? {} : { Environment: { Id: environment, Variables: [{ Name: 'A', Value: image }] } }),
        })
      case 'delete':
        return agent.delete(id)
      case 'deleteAll':
        return agent.delete(id, { all: '1' })
      case 'putEnvironment':
        return agent.putEnvironment(environment ?? 'shop-env', {})
      case 'list':
        return agent.list({ all: '1' })
      default:
        return agent[kind](id)
    }
  }

  /** What a request may be told when others get in between. */
  const expectedCodes = new Set([undefined, 'PORT_TAKEN', 'NAME_TAKEN', 'CONTAINER_UNKNOWN', 'CONTAINER_CHANGING'])

  it('leaves a whole disk, and ends in nothing but answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(request, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }), async waves => {
        const host = await newHost()
        const agent = agentOn(host)
        for (const wave of waves) {
          const codes = await Promise.all(wave.map(one => codeOf(send(agent, one))))
          expect(codes.filter(code => !expectedCodes.has(code))).toEqual([])
          expectWhole(host)
        }
        for (const id of ids) await agent.delete(id, { all: '1' })
        const left = Object.keys(host.files.tree(base)).filter(path =>
          /\/(units|ports|home)\/.*(shop|other)|interfaces\/1\/\d+\/\d+/.test(path),
        )
        expect(left).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('gives each port to one container when it is spread over two agents, a process each', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 12 }), async requests => {
        const host = await newHost()
        const agents = [agentOn(host), agentOn(host)]
        // Two writers of one id are kept apart by the write lock of the host; here each id has its own.
        const own = requests.map(one => ({ ...one, id: `${one.agent}-${one.id}`, environment: undefined }))
        await Promise.all(own.map(one => codeOf(send(agents[one.agent] as Agent, one))))
        expectWhole(host)
        for (const [external, version] of reservations(host))
          expect(await host.files.readLink(portLink(host.paths, external))).toBe(version)
      }),
      { numRuns: 100 },
    )
  })
})
