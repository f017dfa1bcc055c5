/**
 * Beside a running container and its shim there are at most 8 MB of gear on docker, and on podman 3 MB with the shim, which is all there is: all
 * processes of its unit but the container's own, with one container and with 20.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, deleteAll, ids, image, installAll, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'
import { property } from '../systemd.ts'

const repetitions = 3

interface Memory {
  /** Pages that others share counted in full: what would be left to pay if this container were the only one. */
  readonly residentMb: number
  /** Shared pages divided among those that share them. */
  readonly proportionalMb: number
}

type Engine = 'docker' | 'podman'

const goalsMb = { docker: 8, podman: 3 } as const

export const measure = (): Promise<readonly Measurement[]> => memoryBeside('docker')

export async function memoryBeside(engine: Engine): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  const attached = await attachedClient(engine)
  for (const count of [1, 20]) {
    const rounds: (readonly Memory[])[] = []
    for (let repetition = 0; repetition < repetitions; repetition++)
      rounds.push(await besideContainers(engine, ids(`memory-${repetition}`, count)))
    const samples = (part: keyof Memory) => rounds.map(round => round.map(memory => memory[part]))
    const peers = (part: keyof Memory) => [{ name: `${engine} run's attached client`, samples: rounds.map(() => [attached[part]]) }]
    const beside = `beside each of ${count} container${count === 1 ? '' : 's'}${engine === 'docker' ? '' : ` on ${engine}`}`
    measurements.push(
      {
        what: `resident memory ${beside}`,
        unit: 'MB',
        samples: samples('residentMb'),
        peers: peers('residentMb'),
        goal: { of: 'p99', atMost: goalsMb[engine] },
      },
      {
        what: `proportional memory ${beside}`,
        unit: 'MB',
        samples: samples('proportionalMb'),
        peers: peers('proportionalMb'),
        goal: { of: 'p99', atMost: goalsMb[engine] },
      },
    )
  }
  return measurements
}

async function besideContainers(engine: Engine, names: readonly string[]): Promise<readonly Memory[]> {
  await installAll(names, { Started: true, Engine: engine })
  using agent = new Caller(agentPort)
  for (const id of names) await untilState(agent, id, 'active')
  await sleep(3000) // after the start the helper looks once at what runs; then it only waits
  const memories = names.map(id => sum(unitProcesses(`ctr-${id}.service`).map(memoryOf)))
  await deleteAll(names)
  return memories
}

/** The container's own processes are in other groups; on podman in one within the unit's, beside that of conmon. */
function unitProcesses(unit: string): readonly number[] {
  const group = property(unit, 'ControlGroup')
  const root = `${systemdGroups()}${group}`
  const groups = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory() && !entry.name.startsWith('libpod-payload'))
  const pids = [root, ...groups.map(({ name }) => join(root, name))]
    .flatMap(path => readFileSync(join(path, 'cgroup.procs'), 'utf8').trim().split('\n'))
    .filter(pid => pid !== '')
    .map(Number)
  if (pids.length === 0 || !pids.includes(Number(property(unit, 'MainPID')))) throw new Error(`${unit} has no main process in ${group}`)
  return pids
}

/** Where systemd keeps its groups: a hierarchy of its own beside those of cgroup v1, else the one of v2. */
function systemdGroups(): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
  return /^\S+ (\S+) cgroup \S*name=systemd/m.exec(mounts)?.[1] ?? '/sys/fs/cgroup'
}

function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string) => (Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1]) * 1024) / 1e6
  return { residentMb: megabytes('Rss'), proportionalMb: megabytes('Pss') }
}

function sum(memories: readonly Memory[]): Memory {
  return {
    residentMb: memories.reduce((total, { residentMb }) => total + residentMb, 0),
    proportionalMb: memories.reduce((total, { proportionalMb }) => total + proportionalMb, 0),
  }
}

/** What the original ran as each unit's main process. */
async function attachedClient(engine: Engine): Promise<Memory> {
  const client = spawn(engine, ['run', '--rm', '--name', 'bench-attached', image], { env: childEnvironment, stdio: 'ignore' })
  await sleep(3000)
  const memory = memoryOf(client.pid ?? 0)
  spawn(engine, ['kill', 'bench-attached'], { stdio: 'ignore' })
  await new Promise(resolve => client.once('exit', resolve))
  return memory
}
