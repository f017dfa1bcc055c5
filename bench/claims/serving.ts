/** From nothing to the first page served, gear takes at most 1.15 times as long as `docker run`: same image, same port, in turns. */
import { execFileSync } from 'node:child_process'
import { agentPort, ids, image, install, until } from '../agent.ts'
import { Caller } from '../caller.ts'
import { childEnvironment } from '../children.ts'
import type { Goal, Measurement } from '../finding.ts'

const repetitions = 3
const pairs = 6
const port = 4000
const goal: Goal = { of: 'ratio', atMost: 1.15 }
const [id = ''] = ids('serving', 1)

type Way = 'api' | 'command' | 'docker'

export async function measure(): Promise<readonly Measurement[]> {
  using agent = new Caller(agentPort)
  const ways: Readonly<Record<Way, () => Promise<unknown>>> = {
    api: () => install(agent, id, { Started: true, Ports: [{ Internal: 8080, External: port }] }),
    command: async () => run('gear', 'install', image, id, '--start', '-p', `8080:${port}`),
    docker: async () => run('docker', 'run', '-d', '--name', id, '-p', `${port}:8080`, image),
  }
  const samples: Readonly<Record<Way, number[][]>> = { api: [], command: [], docker: [] }
  for (const way of ['api', 'command', 'docker'] as const) await servedMs(agent, ways[way])
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const all of Object.values(samples)) all.push([])
    for (let pair = 0; pair < pairs; pair++) {
      for (const way of inTurn(pair)) samples[way].at(-1)?.push(await servedMs(agent, ways[way]))
    }
  }
  const peers = [{ name: 'docker run -d', samples: samples.docker }]
  return [
    { what: 'install and start over the API until it serves', unit: 'ms', samples: samples.api, peers, goal },
    { what: 'gear install --start until it serves', unit: 'ms', samples: samples.command, peers, goal },
  ]
}

/** Whoever comes after a given other one would share its warm caches every time. */
function inTurn(pair: number): readonly Way[] {
  const orders: readonly (readonly Way[])[] = [
    ['api', 'docker', 'command'],
    ['docker', 'command', 'api'],
    ['command', 'api', 'docker'],
    ['api', 'command', 'docker'],
    ['docker', 'api', 'command'],
    ['command', 'docker', 'api'],
  ]
  return orders[pair % orders.length] ?? []
}

async function servedMs(agent: Caller, begin: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await begin()
  await until('the page is served', isServed, { everyMs: 1 })
  const ms = performance.now() - startMs
  await agent.do({ method: 'DELETE', path: `/container/${id}?all=true` })
  run('docker', 'rm', '--force', id)
  await new Promise(resolve => setTimeout(resolve, 300)) // what is still being cleared away must not slow down the next
  return ms
}

/** Docker's proxy takes connections before the container does, and then breaks them. */
async function isServed(): Promise<boolean> {
  using page = new Caller(port, 'fresh')
  try {
    return (await page.call({ method: 'GET', path: '/' })).status === 200
  } catch {
    return false
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { env: childEnvironment, stdio: ['ignore', 'ignore', 'pipe'] })
}
