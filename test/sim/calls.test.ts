/**
 * How many calls on the host an operation makes, as it is answered beside others that are installed. What costs most is a reload of systemd, then the
 * sync of a folder, then a question to systemd or the engine; none of them may depend on how many containers there are.
 */
import { describe, expect, it } from 'vitest'
import type { FakeHost } from '../../src/host/fakes.ts'
import { type Agent, agentOn, newHost } from './machine.ts'

const onePort = { Ports: [{ Internal: 80, External: 0 }] }

/** Calls by port and operation, such as `{ 'files.read': 2 }`. */
async function callsOf(
  act: (agent: Agent) => Promise<unknown>,
  { arrange, neighbours = 3 }: { readonly arrange?: (agent: Agent) => Promise<unknown>; readonly neighbours?: number } = {},
): Promise<Readonly<Record<string, number>>> {
  const host = await newHost()
  const agent = agentOn(host)
  for (let index = 0; index < neighbours; index++) await agent.install(`other-${index}`, onePort)
  await arrange?.(agent)
  const ports = portsOf(host)
  for (const port of Object.values(ports)) port.forgetCalls()
  await act(agent)
  const calls = Object.entries(ports).flatMap(([name, port]) => port.calls.map(call => `${name}.${call.split(' ')[0]}`))
  return Object.fromEntries([...new Set(calls)].sort().map(call => [call, calls.filter(other => other === call).length]))
}

function portsOf({ files, units, engine, network, journal, commands }: FakeHost) {
  return { files, units, engine, network, journal, commands }
}

const installed = { arrange: (agent: Agent) => agent.install('shop', onePort) }
const running = { arrange: (agent: Agent) => agent.install('shop', { ...onePort, Started: true }) }

describe('host calls', () => {
  it('of a new install: systemd is asked nothing and reloads nothing', async () => {
    expect(await callsOf(agent => agent.install('shop', onePort))).toEqual({
      'engine.container': 1,
      'files.exists': 2,
      'files.hardLinkOver': 1,
      'files.link': 1,
      'files.list': 1,
      'files.makeFolder': 2,
      'files.read': 1,
      'files.readLink': 3,
      'files.relink': 2,
      'files.syncFolders': 7,
      'files.write': 1,
      'network.isPortFree': 1,
    })
  })

  it('of a new install that starts: one question to systemd, and no reload', async () => {
    const calls = await callsOf(agent => agent.install('shop', { ...onePort, Started: true }))
    expect(Object.fromEntries(Object.entries(calls).filter(([call]) => call.startsWith('units.')))).toEqual({
      'units.queueStart': 1,
      'units.resetFailed': 1,
      'units.status': 1,
    })
    expect(calls['files.relink']).toBe(3)
  })

  it('of an update: one reload', async () => {
    const calls = await callsOf(agent => agent.install('shop', { ...onePort, Image: 'acme/shop:2' }), installed)
    expect(Object.fromEntries(Object.entries(calls).filter(([call]) => !call.startsWith('files.')))).toEqual({
      'units.reload': 1,
      'units.status': 1,
    })
  })

  it('of the same install once more: nothing is written', async () => {
    expect(await callsOf(agent => agent.install('shop', onePort), installed)).toEqual({
      'files.list': 1,
      'files.modifiedMs': 1,
      'files.read': 2,
      'files.readLink': 5,
      'files.syncFolders': 5,
      'units.status': 1,
    })
  })

  it('of a start', async () => {
    expect(await callsOf(agent => agent.start('shop'), installed)).toEqual({
      'files.list': 1,
      'files.read': 1,
      'files.readLink': 3,
      'files.relink': 1,
      'files.syncFolders': 1,
      'units.queueStart': 1,
      'units.resetFailed': 1,
      'units.status': 1,
    })
  })

  it('of a start of what runs: two looks', async () => {
    expect(await callsOf(agent => agent.start('shop'), running)).toEqual({
      'files.list': 1,
      'files.read': 1,
      'files.readLink': 3,
      'units.status': 1,
    })
  })

  it('of a stop', async () => {
    expect(await callsOf(agent => agent.stop('shop'), running)).toEqual({
      'files.list': 1,
      'files.read': 1,
      'files.readLink': 3,
      'files.remove': 1,
      'files.syncFolders': 1,
      'units.list': 1,
      'units.queueStop': 1,
    })
  })

  it('of a restart', async () => {
    expect(await callsOf(agent => agent.restart('shop'), running)).toEqual({
      'files.list': 1,
      'files.read': 1,
      'files.readLink': 3,
      'units.queueRestart': 1,
      'units.resetFailed': 1,
      'units.status': 1,
    })
  })

  it('of a delete: one stop and one reload', async () => {
    const calls = await callsOf(agent => agent.delete('shop'), running)
    expect(Object.fromEntries(Object.entries(calls).filter(([call]) => !call.startsWith('files.')))).toEqual({
      'engine.container': 2,
      'engine.removeContainer': 1,
      'units.reload': 1,
      'units.resetFailed': 1,
      'units.status': 1,
      'units.stop': 1,
    })
  })

  it('of the ports of a container: one file', async () => {
    expect(await callsOf(agent => agent.ports('shop'), installed)).toEqual({ 'files.read': 1 })
  })

  it('of the status as text: one file and one tool', async () => {
    expect(await callsOf(agent => agent.statusText('shop'), running)).toEqual({ 'files.read': 1, 'journal.statusText': 1 })
  })

  it('of the status as data', async () => {
    expect(await callsOf(agent => agent.status('shop'), running)).toEqual({
      'files.exists': 1,
      'files.modifiedMs': 1,
      'files.read': 3,
      'files.readLink': 1,
      'units.status': 1,
    })
  })

  it('of what is used: one question to systemd for all, and one for each that runs', async () => {
    const calls = await callsOf(agent => agent.call('containersUsage', {}), running)
    expect(Object.fromEntries(Object.entries(calls).filter(([call]) => !call.startsWith('files.')))).toEqual({
      'units.list': 1,
      'units.status': 1,
    })
  })

  it('of an environment', async () => {
    expect(await callsOf(agent => agent.putEnvironment('shop-env', {}))).toEqual({
      'files.makeFolder': 1,
      'files.syncFolders': 2,
      'files.write': 1,
    })
    const reading = { arrange: (agent: Agent) => agent.putEnvironment('shop-env', {}) }
    expect(await callsOf(agent => agent.environment('shop-env'), reading)).toEqual({ 'files.read': 1 })
  })

  it.each<{ name: string; act: (agent: Agent) => Promise<unknown>; arrange?: (agent: Agent) => Promise<unknown> }>([
    { name: 'a new install', act: agent => agent.install('shop', { ...onePort, Started: true }) },
    { name: 'an update', act: agent => agent.install('shop', { ...onePort, Image: 'acme/shop:2' }), ...installed },
    { name: 'a start', act: agent => agent.start('shop'), ...installed },
    { name: 'a stop', act: agent => agent.stop('shop'), ...running },
    { name: 'a delete', act: agent => agent.delete('shop'), ...running },
    { name: 'a status', act: agent => agent.status('shop'), ...running },
  ])('of $name are as many among hundreds of containers as among a few', async ({ act, arrange }) => {
    const options = arrange === undefined ? {} : { arrange }
    expect(await callsOf(act, { ...options, neighbours: 250 })).toEqual(await callsOf(act, { ...options, neighbours: 10 }))
  })
})
