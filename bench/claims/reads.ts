/**
 * Beside 1,000 installed containers, looking is as quick as nothing: ports and status of one, environments, and the list of all.
 *
 * systemd has loaded all units, as it does at boot. Each call is timed beside one to a server that does nothing but send as many bytes.
 */
import { agentPort, asJson, ids, installAll, untilState } from '../agent.ts'
import { type Call, Caller } from '../caller.ts'
import type { Goal, Measurement } from '../finding.ts'
import { type EmptyServer, startEmptyServer } from '../floors.ts'
import { systemctl } from '../systemd.ts'

const repetitions = 3

interface Read {
  readonly what: string
  readonly path: (id: string) => string
  readonly times: number
  readonly goal: Goal
  readonly connections?: 'fresh'
}

const under5: Goal = { of: 'p99', atMost: 5 }
const under10: Goal = { of: 'p99', atMost: 10 }

export async function measure(): Promise<readonly Measurement[]> {
  const stopped = ids('still', 1000)
  const [running = ''] = ids('running', 1)
  await installAll(stopped)
  await installAll([running], { Started: true, Environment: { Id: 'bench-env', Variables: [{ Name: 'A', Value: 'b' }] } })
  systemctl('daemon-reload')
  using caller = new Caller(agentPort)
  await untilState(caller, running, 'active')
  const reads: readonly Read[] = [
    { what: 'ports of a container', path: id => `/container/${id}/ports`, times: 500, goal: under5 },
    { what: 'ports, a new connection each', path: id => `/container/${id}/ports`, times: 500, goal: under10, connections: 'fresh' },
    { what: 'status of a stopped container as JSON', path: id => `/container/${id}/status`, times: 500, goal: under5 },
    { what: 'status of a running container as JSON', path: () => `/container/${running}/status`, times: 500, goal: under5 },
    { what: 'an environment', path: () => '/environment/bench-env', times: 500, goal: under10 },
    { what: 'list of 1,001 containers', path: () => '/containers', times: 200, goal: under10 },
  ]
  using server = await startEmptyServer()
  const measurements: Measurement[] = []
  for (const read of reads) measurements.push(await measureRead(read, stopped, server))
  return measurements
}

async function measureRead({ what, path, times, goal, connections = undefined }: Read, names: readonly string[], server: EmptyServer) {
  using caller = new Caller(agentPort, connections ?? 1)
  using floor = new Caller(server.port, connections ?? 1)
  const ours: number[][] = []
  const floors: number[][] = []
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const samples = { ours: [] as number[], floors: [] as number[] }
    for (const id of names.slice(0, times)) {
      const answer = await caller.do(jsonOf(path(id)))
      samples.ours.push(answer.ms)
      samples.floors.push((await floor.do({ method: 'GET', path: `/${answer.body.length}` })).ms)
    }
    if (repetition < 0) continue // the first round warms up
    ours.push(samples.ours)
    floors.push(samples.floors)
  }
  return { what, unit: 'ms', samples: ours, peers: [{ name: 'an empty HTTP server sending as much', samples: floors }], goal }
}

/** An environment has no JSON form. */
function jsonOf(path: string): Call {
  return { method: 'GET', path, headers: path.startsWith('/environment/') ? {} : asJson }
}
