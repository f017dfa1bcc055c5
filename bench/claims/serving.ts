/** From nothing to the first page served, gear takes at most 1.15 times as long as the engine's own `run`: same image, same port, in turns. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, ids, image, install, until } from '../agent.ts'
import { Caller } from '../caller.ts'
import { type Engine, onEngine, run } from '../engine.ts'
import type { Goal, Measurement } from '../finding.ts'

const repetitions = 3
const pairs = 6
const port = 4000
const goal: Goal = { of: 'ratio', atMost: 1.15 }
const [id = ''] = ids('serving', 1)

type Way = 'api' | 'command' | 'engine'

export const measure = (): Promise<readonly Measurement[]> => serving('docker')

export async function serving(engine: Engine): Promise<readonly Measurement[]> {
  await lookForAddressesOften()
  using agent = new Caller(agentPort)
  const ways: Readonly<Record<Way, () => Promise<unknown>>> = {
    api: () => install(agent, id, { Started: true, Engine: engine, Ports: [{ Internal: 8080, External: port }] }),
    command: () => run('gear', 'install', image, id, '--engine', engine, '--start', '-p', `8080:${port}`),
    engine: () => run(engine, 'run', '-d', '--name', id, '-p', `${port}:8080`, image),
  }
  const samples: Readonly<Record<Way, number[][]>> = { api: [], command: [], engine: [] }
  for (const way of ['api', 'command', 'engine'] as const) await servedMs(agent, engine, ways[way])
  await lookForAddressesOften()
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const all of Object.values(samples)) all.push([])
    for (let pair = 0; pair < pairs; pair++) {
      for (const way of inTurn(pair)) samples[way].at(-1)?.push(await servedMs(agent, engine, ways[way]))
    }
  }
  const peers = [{ name: `${engine} run -d`, samples: samples.engine }]
  const where = onEngine(engine)
  return [
    { what: `install and start over the API until it serves${where}`, unit: 'ms', samples: samples.api, peers, goal },
    // For comparison: docker's own command starts a program of another kind than Node.
    { what: `gear install --start until it serves${where}`, unit: 'ms', samples: samples.command, peers },
  ]
}

/** Whoever comes after a given other one would share its warm caches every time. */
function inTurn(pair: number): readonly Way[] {
  const orders: readonly (readonly Way[])[] = [
    ['api', 'engine', 'command'],
    ['engine', 'command', 'api'],
    ['command', 'api', 'engine'],
    ['api', 'command', 'engine'],
    ['engine', 'api', 'command'],
    ['command', 'engine', 'api'],
  ]
  return orders[pair % orders.length] ?? []
}

async function servedMs(agent: Caller, engine: Engine, begin: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  const served = until('the page is served', isServed, { everyMs: 5 }).then(() => performance.now() - startMs)
  const [ms] = await Promise.all([served, begin()])
  await agent.do({ method: 'DELETE', path: `/container/${id}?all=true` })
  await run(engine, 'rm', '--force', ...(engine === 'podman' ? ['--ignore', '--time', '0'] : []), id)
  await sleep(300) // what is still being cleared away must not slow down the next
  return ms
}

/** Docker's proxy takes connections before the container does, and then holds or breaks them. */
async function isServed(): Promise<boolean> {
  using page = new Caller(port, 'fresh')
  try {
    return (await page.call({ method: 'GET', path: '/', limitMs: 20 })).status === 200
  } catch {
    return false
  }
}

/**
 * Who asks before the container has its address makes the kernel look for that address, and again only a second later (arp(7),
 * retrans_time_ms): every start would seem to take a second longer, whoever makes it.
 */
async function lookForAddressesOften(): Promise<void> {
  // Podman makes its bridge with the first container, so this is done once more after that.
  for (const device of readdirSync('/proc/sys/net/ipv4/neigh')) {
    const limit = `/proc/sys/net/ipv4/neigh/${device}/retrans_time_ms`
    if (existsSync(limit)) writeFileSync(limit, '10')
  }
}
