/**
 * What 1, 50 and 200 containers cost: their start, their stop, and the memory beside each, which is at most 8 MB of gear's own on Docker
 * beside the engine's shim, and on Podman 3 MB in all.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { deleteAll, ids, image, installAll } from '../agent.ts'
import { dockerStarts, type Engine, generatedUnit, handWrittenUnit, onEngine, run, writeUnits } from '../engine.ts'
import type { Measurement } from '../finding.ts'
import { type Memory, memoryOf, processesNamed, processesOfGroup } from '../processes.ts'
import { properties, systemctl } from '../systemd.ts'

/** How often each number is measured: the time for 200 lies less apart than that for one. */
const fleets = [
  { count: 1, repetitions: 3 },
  { count: 50, repetitions: 2 },
  { count: 200, repetitions: 1 },
] as const

/** So many are started, and stopped, at a time. */
const wave = 20

const goalsMb = { docker: 8, podman: 3 } as const

/** What the engine runs beside each container, whoever started it. */
const companions = { docker: ['containerd-shim-runc-v2', 'docker-proxy'], podman: ['conmon'] } as const

/** A number of containers that are started and stopped as units. */
interface Kind {
  readonly name: string
  /** Makes so many, at rest; their units. */
  readonly make: (count: number) => Promise<readonly string[]>
  readonly remove: (units: readonly string[]) => Promise<void>
}

interface Round {
  /** From the first call of systemctl until all containers run, divided by their number. */
  readonly startMs: number
  readonly stopMs: number
  /** Of the processes of each unit. */
  readonly ofUnits: readonly Memory[]
  /** Of all of these and the engine's companions. */
  readonly ofAll: Memory
}

export const measure = (): Promise<readonly Measurement[]> => fleet('docker')

export async function fleet(engine: Engine): Promise<readonly Measurement[]> {
  const [ours, theirs] = [gearKind(engine), peerKind(engine)]
  const client = engine === 'podman' ? await attachedClient(engine) : undefined
  const measurements: Measurement[] = []
  await round(engine, ours, 1) // the first fills caches
  await round(engine, theirs, 1)
  for (const { count, repetitions } of fleets) {
    const rounds = { ours: [] as Round[], theirs: [] as Round[] }
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const both = {
        ours: async () => void rounds.ours.push(await round(engine, ours, count)),
        theirs: async () => void rounds.theirs.push(await round(engine, theirs, count)),
      }
      for (const whose of repetition % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)) await both[whose]()
    }
    measurements.push(...measurementsOf(engine, { count, ...rounds, peer: theirs.name, client }))
  }
  return measurements
}

interface Rounds {
  readonly count: number
  readonly ours: readonly Round[]
  readonly theirs: readonly Round[]
  readonly peer: string
  /** Of `podman run` in the foreground; on Docker the peer's unit runs it. */
  readonly client: Memory | undefined
}

function measurementsOf(engine: Engine, { count, ours, theirs, peer, client }: Rounds): readonly Measurement[] {
  const where = `of ${count}${onEngine(engine)}`
  const time = (what: string, of: (round: Round) => number): Measurement => ({
    what: `${what}, each ${where}`,
    unit: 'ms',
    samples: ours.map(round => [of(round)]),
    peers: [{ name: peer, samples: theirs.map(round => [of(round)]) }],
  })
  // On Podman there is nothing of gear's own.
  const whose = engine === 'docker' ? 'gear’s processes' : 'all processes'
  const memory = (part: keyof Memory, kind: string): Measurement => ({
    what: `${kind} memory of ${whose} beside each ${where}`,
    unit: 'MB',
    samples: ours.map(({ ofUnits }) => ofUnits.map(each => each[part])),
    peers: [
      { name: peer, samples: theirs.map(({ ofUnits }) => ofUnits.map(each => each[part])) },
      ...(client === undefined ? [] : [{ name: 'the attached client of podman run', samples: ours.map(() => [client[part]]) }]),
    ],
    goal: { of: 'p99', atMost: goalsMb[engine] },
  })
  /** In another unit, since all together are another size than each. */
  const together = (part: keyof Memory, kind: string): Measurement => ({
    what: `${kind} memory of ${whose}${engine === 'docker' ? ' and the engine’s' : ''} beside all ${where}`,
    unit: 'GB',
    samples: ours.map(({ ofAll }) => [ofAll[part] / 1000]),
    peers: [{ name: peer, samples: theirs.map(({ ofAll }) => [ofAll[part] / 1000]) }],
  })
  return [
    time('start', round => round.startMs),
    time('stop', round => round.stopMs),
    memory('residentMb', 'resident'),
    memory('proportionalMb', 'proportional'),
    ...(count === 1 ? [] : [together('residentMb', 'resident'), together('proportionalMb', 'proportional')]),
  ]
}

async function round(engine: Engine, kind: Kind, count: number): Promise<Round> {
  const units = await kind.make(count)
  const startMs = await timed(() => inWaves(units, some => startSome(engine, some)))
  await sleep(3000) // after the start the helper looks once at what runs; then it only waits
  const groups = properties(units, 'ControlGroup')
  const pids = groups.map(processesOfGroup)
  if (pids.some(own => own.length === 0)) throw new Error(`a unit of ${kind.name} has no processes`)
  const ofAll = memoryOf(new Set([...pids.flat(), ...processesNamed(...companions[engine])]))
  const ofUnits = pids.map(memoryOf)
  const stopMs = await timed(() => inWaves(units, some => run('systemctl', 'stop', ...some)))
  await kind.remove(units)
  await sleep(500)
  return { startMs: startMs / count, stopMs: stopMs / count, ofUnits, ofAll }
}

/** Until all their containers run. A client of Docker that is attached does not tell systemd when its container does, so the engine is asked, for both. */
async function startSome(engine: Engine, units: readonly string[]): Promise<void> {
  const sinceS = Date.now() / 1000
  await Promise.all([run('systemctl', 'start', ...units), engine === 'docker' ? dockerStarts(units.length, sinceS) : undefined])
}

/** 200 clients that all begin at once hold each other up for minutes: Podman's at its locks, Docker's by their number. */
async function inWaves(units: readonly string[], work: (some: readonly string[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < units.length; at += wave) await work(units.slice(at, at + wave))
}

let made = 0

function gearKind(engine: Engine): Kind {
  const unitOf = (id: string) => `ctr-${id}.service`
  return {
    name: 'gear',
    make: async count => {
      const names = ids(`fleet-${++made}`, count)
      await installAll(names, { Engine: engine })
      return names.map(unitOf)
    },
    remove: units => deleteAll(units.map(unit => unit.slice('ctr-'.length, -'.service'.length))),
  }
}

function peerKind(engine: Engine): Kind {
  return {
    name: engine === 'docker' ? 'a unit around docker run' : 'a unit by podman generate systemd --new',
    make: async count => {
      const names = Array.from({ length: count }, (_, index) => `fleet-${++made}-${index}`)
      // Podman writes one; the others are the same but for name and port.
      const sample = { name: 'fleet-sample', image, port: 65_000 }
      const text = engine === 'docker' ? handWrittenUnit(sample) : await generatedUnit(sample)
      const unit = (name: string, index: number) => text.replaceAll('fleet-sample', name).replaceAll('65000', String(20_000 + index))
      writeUnits(new Map(names.map((name, index) => [name, unit(name, index)])))
      return names.map(name => `${name}.service`)
    },
    remove: async units => {
      systemctl('reset-failed') // both kinds count an end by TERM as a failure
      await run('rm', ...units.map(unit => `/etc/systemd/system/${unit}`))
      systemctl('daemon-reload')
    },
  }
}

/** What the original ran as each unit's main process. */
async function attachedClient(engine: Engine): Promise<Memory> {
  await run('systemd-run', '--unit=bench-attached', '--quiet', engine, 'run', '--rm', '--name', 'bench-attached', image)
  await sleep(3000)
  const memory = memoryOf([Number(systemctl('show', '--property=MainPID', '--value', 'bench-attached').trim())])
  await run(engine, 'stop', 'bench-attached')
  systemctl('reset-failed')
  return memory
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}
