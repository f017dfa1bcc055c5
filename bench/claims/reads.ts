/**
 * Beside 1,000 installed containers, looking is as quick as nothing: ports and status of one, environments, and the list of all.
 *
 * Each call is timed beside one to a server that does nothing but send as many bytes.
 */
import { agentPort, asJson, ids, installAll, untilState } from '../agent.ts'
import { type Call, Caller } from '../caller.ts'
import type { Goal, Measurement } from '../finding.ts'
import { type EmptyServer, startEmptyServer } from '../floors.ts'
import { keepLoaded } from '../systemd.ts'

const repetitions = 3

interface Read {
  readonly what: string
  readonly paths: readonly string[]
  readonly goal: Goal
  readonly connections?: 'fresh'
}

const under5: Goal = { of: 'p99', atMost: 5 }
const under10: Goal = { of: 'p99', atMost: 10 }

export async function measure(): Promise<readonly Measurement[]> {
  const loaded = ids('loaded', 1000)
  const unloaded = ids('unloaded', 200)
  const [running = ''] = ids('running', 1)
  await installAll([...loaded, ...unloaded])
  keepLoaded(loaded)
  await installAll([running], { Started: true, Environment: { Id: 'bench-env', Variables: [{ Name: 'A', Value: 'b' }] } })
  using caller = new Caller(agentPort)
  await untilState(caller, running, 'active')
  await requireListed(caller, 1001)
  const some = loaded.slice(0, 500)
  const status = (id: string) => `/container/${id}/status`
  const ports = (id: string) => `/container/${id}/ports`
  const reads: readonly Read[] = [
    { what: 'ports of a container', paths: some.map(ports), goal: under5 },
    { what: 'ports, a new connection each', paths: some.map(ports), goal: under10, connections: 'fresh' },
    { what: 'status of a running container as JSON', paths: some.map(() => status(running)), goal: under5 },
    { what: 'status of a stopped container as JSON', paths: some.map(status), goal: under5 },
    { what: 'status of one that systemd has not loaded', paths: unloaded.map(status), goal: under5 },
    { what: 'an environment', paths: some.map(() => '/environment/bench-env'), goal: under10 },
    { what: 'list of the 1,001 that systemd has loaded', paths: unloaded.map(() => '/containers'), goal: under10 },
    { what: 'list of all 1,201', paths: unloaded.map(() => '/containers?all=true'), goal: under10 },
  ]
  using server = await startEmptyServer()
  const measurements: Measurement[] = []
  for (const read of reads) measurements.push(await measureRead(read, server))
  return measurements
}

async function requireListed(caller: Caller, count: number): Promise<void> {
  const { body } = await caller.do(getCall('/containers'))
  const { Containers } = JSON.parse(body) as { readonly Containers: readonly unknown[] }
  if (Containers.length !== count) throw new Error(`${Containers.length} containers are listed, not ${count}`)
}

async function measureRead({ what, paths, goal, connections }: Read, server: EmptyServer): Promise<Measurement> {
  using caller = new Caller(agentPort, connections ?? 1)
  using floor = new Caller(server.port, connections ?? 1)
  const ours: number[][] = []
  const floors: number[][] = []
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const samples = { ours: [] as number[], floors: [] as number[] }
    for (const path of paths) {
      const answer = await caller.do(getCall(path))
      samples.ours.push(answer.ms)
      samples.floors.push((await floor.do(getCall(`/${answer.body.length}`))).ms)
    }
    if (repetition < 0) continue // the first round warms up
    ours.push(samples.ours)
    floors.push(samples.floors)
  }
  return { what, unit: 'ms', samples: ours, peers: [{ name: 'an empty HTTP server sending as much', samples: floors }], goal }
}

/** An environment has no JSON form. */
function getCall(path: string): Call {
  return { method: 'GET', path, headers: path.startsWith('/environment/') ? {} : asJson }
}
