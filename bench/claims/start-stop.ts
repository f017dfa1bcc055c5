/**
 * Start and stop of an installed container, with systemctl, over the API and with the command line, in turns with those of the engine and of units that others
 * write. Told for comparison: a goal there is for the way from nothing to the first page served.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, ids, image, installAll, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import { type Engine, generatedUnit, onEngine, plainUnit, run, writeUnits } from '../engine.ts'
import type { Measurement, Peer } from '../finding.ts'
import { systemctl } from '../systemd.ts'

const repetitions = 3
const rounds = 5
const [id = ''] = ids('turns', 1)

/** One way to start something and to stop it again. */
interface Way {
  readonly name: string | { readonly start: string; readonly stop: string }
  readonly start: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

export const measure = (): Promise<readonly Measurement[]> => startStop('docker')

export async function startStop(engine: Engine): Promise<readonly Measurement[]> {
  await installAll([id], { Engine: engine })
  using agent = new Caller(agentPort)
  const ours = ourWays(agent)
  const theirs = await theirWays(engine)
  const ways = [...ours, ...theirs]
  const samples = new Map(ways.map(way => [way, { start: [] as number[][], stop: [] as number[][] }]))
  for (const way of ways) await turn(way) // the first fills caches
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const { start, stop } of samples.values()) {
      start.push([])
      stop.push([])
    }
    for (let round = 0; round < rounds; round++) {
      for (const way of rotated(ways, round)) {
        const took = await turn(way)
        samples.get(way)?.start.at(-1)?.push(took.startMs)
        samples.get(way)?.stop.at(-1)?.push(took.stopMs)
      }
    }
  }
  return (['start', 'stop'] as const).flatMap(kind => {
    const of = (way: Way) => samples.get(way)?.[kind] ?? []
    const peers: readonly Peer[] = theirs.map(way => ({ name: nameOf(way, kind), samples: of(way) }))
    return ours.map((way, index) => ({
      what: `${kind} with ${nameOf(way, kind)}${onEngine(engine)}`,
      unit: 'ms',
      samples: of(way),
      // All of them once; for the others the one that does the same.
      peers: index === 0 ? peers : peers.slice(0, 1),
    }))
  })
}

function nameOf({ name }: Way, kind: 'start' | 'stop'): string {
  return typeof name === 'string' ? name : name[kind]
}

/**
 * What is timed is the start, not the word on it: a caller who waits for that is told half a second later, when the container has not ended at once. So who has
 * only queued it looks for the state.
 */
function ourWays(agent: Caller): readonly Way[] {
  const unit = `ctr-${id}.service`
  const afterwards = (state: string, begin: () => Promise<unknown>) => async () => {
    await begin()
    await untilState(agent, id, state, 5)
  }
  const put = (path: string) => () => agent.do({ method: 'PUT', path: `/container/${id}/${path}` })
  return [
    { name: 'systemctl', start: () => run('systemctl', 'start', unit), stop: () => run('systemctl', 'stop', unit) },
    { name: 'the API', start: afterwards('active', put('started')), stop: afterwards('inactive', put('stopped')) },
    {
      name: 'the command line',
      start: afterwards('active', () => run('gear', 'start', id)),
      stop: afterwards('inactive', () => run('gear', 'stop', '--no-wait', id)),
    },
  ]
}

async function theirWays(engine: Engine): Promise<readonly Way[]> {
  const unit = (name: string) => ({ start: () => run('systemctl', 'start', name), stop: () => run('systemctl', 'stop', name) })
  await run(engine, 'create', '--name', 'bench-kept', '-p', '5001:8080', image)
  const generated =
    engine === 'podman' ? [['bench-generated', await generatedUnit({ name: 'bench-generated', image, port: 5002 })] as const] : []
  writeUnits(new Map([['bench-plain', plainUnit(5003)], ...generated]))
  return [
    {
      name: { start: `${engine} run -d`, stop: `${engine} stop and ${engine} rm` },
      start: () => run(engine, 'run', '-d', '--name', 'bench-new', '-p', '5000:8080', image),
      stop: async () => {
        await run(engine, 'stop', 'bench-new')
        await run(engine, 'rm', 'bench-new')
      },
    },
    {
      name: { start: `${engine} start of one that was stopped`, stop: `${engine} stop` },
      start: () => run(engine, 'start', 'bench-kept'),
      stop: () => run(engine, 'stop', 'bench-kept'),
    },
    ...generated.map(([name]) => ({ name: 'a unit by podman generate systemd --new', ...unit(name) })),
    { name: 'a plain unit without a container', ...unit('bench-plain') },
  ]
}

/** Whoever comes after a given other one would share its warm caches every time. */
function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

/** What is still being cleared away must not slow down the next; and nobody is to be refused for having been started too often. */
async function turn({ start, stop }: Way): Promise<{ readonly startMs: number; readonly stopMs: number }> {
  const startMs = await timed(start)
  await sleep(150)
  const stopMs = await timed(stop)
  systemctl('reset-failed')
  await sleep(150)
  return { startMs, stopMs }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}
