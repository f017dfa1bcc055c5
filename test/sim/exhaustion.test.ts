/** A host whose ports run out, with a range that is small enough to walk through. */
import { describe, expect, it, vi } from 'vitest'
import { limits } from '../../src/api/index.ts'
import type { FakeHost } from '../../src/host/fakes.ts'
import { agentOn, codeOf, expectWhole, newHost, port, reservations } from './machine.ts'

vi.mock('../../src/api/limits.ts', async original => {
  const real = await original<typeof import('../../src/api/limits.ts')>()
  return { ...real, limits: { ...real.limits, portFirst: 4250, portLast: 5749 } }
})

describe('when ports run out', () => {
  /** All ports but these are somebody's. */
  async function nearlyFull(free: readonly number[]): Promise<FakeHost> {
    const host = await newHost()
    for (let taken = limits.portFirst; taken <= limits.portLast; taken++) if (!free.includes(taken)) host.network.listening.add(taken)
    return host
  }

  it('says so, changes nothing, and goes on when one is given back', async () => {
    const host = await nearlyFull([4321])
    const agent = agentOn(host)
    await agent.install('first', { Ports: [port(80)] })
    const before = host.files.tree()
    expect(await codeOf(agent.install('second', { Ports: [port(80)] }))).toBe('PORTS_EXHAUSTED')
    expect(host.files.tree()).toEqual(before)
    await agent.delete('first')
    expect((await agent.install('second', { Ports: [port(80)] })).ports).toEqual([{ internal: 80, external: 4321 }])
  })

  it('gives the last one to one of those who want it, and never to two', async () => {
    const host = await nearlyFull([4321, 5678])
    const agent = agentOn(host)
    const codes = await Promise.all(['shop-1', 'shop-2', 'shop-3', 'shop-4'].map(id => codeOf(agent.install(id, { Ports: [port(80)] }))))
    expect(codes.filter(code => code === undefined)).toHaveLength(2)
    expect([...reservations(host).keys()].sort()).toEqual([4321, 5678])
    expectWhole(host)
  })

  it('does not give one port to two pairs of a container', async () => {
    const host = await nearlyFull([4321])
    const agent = agentOn(host)
    expect(await codeOf(agent.install('shop', { Ports: [port(80), port(443)] }))).toBe('PORTS_EXHAUSTED')
    expect(await codeOf(agent.install('shop', { Ports: [port(80, 4321), port(443)] }))).toBe('PORTS_EXHAUSTED')
    expect(await codeOf(agent.install('shop', { Ports: [port(80, 4321), port(443, 443)] }))).toBeUndefined()
  })
})
