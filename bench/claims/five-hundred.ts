/**
 * 500 containers are installed in the time that each by itself takes, without a daemon-reload; on both engines. That the last ones are as fast as the first is for the
 * claim about 1,000.
 */
import { agentPort, deleteAll, ids, image, install } from '../agent.ts'
import { Caller } from '../caller.ts'
import { type Engine, onEngine, run } from '../engine.ts'
import type { Measurement, Peer } from '../finding.ts'
import { ReloadCounter } from '../systemd.ts'

const repetitions = 3
const count = 500
/** Enough for a median of what takes ten times as long. */
const byHandCount = 20

export async function measure(): Promise<readonly Measurement[]> {
  // The first installs of an agent's life are slower, which would make the last ones look good.
  await deleteAll((await installed('docker', 'warm', 300)).names)
  const measurements: Measurement[] = []
  for (const engine of ['docker', 'podman'] as const) measurements.push(...(await fiveHundred(engine)))
  return measurements
}

async function fiveHundred(engine: Engine): Promise<readonly Measurement[]> {
  const rounds: (readonly number[])[] = []
  const reloads: number[][] = []
  const byHand: (readonly number[])[] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const counter = new ReloadCounter()
    const { names, ms } = await installed(engine, `${engine}-${repetition}`, count)
    reloads.push([counter.count])
    rounds.push(ms)
    byHand.push(await madeByHand(engine))
    await deleteAll(names)
  }
  const where = onEngine(engine)
  const peer: Peer = { name: engine === 'docker' ? 'docker create' : 'podman create and podman generate systemd', samples: byHand }
  const sum = (ms: readonly number[]) => ms.reduce((total, one) => total + one, 0) / 1000
  return [
    { what: `install, each of ${count}${where}`, unit: 'ms', samples: rounds, peers: [peer], goal: { of: 'p99', atMost: 10 } },
    { what: `install of all ${count}${where}`, unit: 's', samples: rounds.map(ms => [sum(ms)]) },
    { what: `daemon-reloads for ${count} installs${where}`, unit: '', samples: reloads, goal: { of: 'median', atMost: 0 } },
  ]
}

async function installed(
  engine: Engine,
  set: string,
  many: number,
): Promise<{ readonly names: readonly string[]; readonly ms: readonly number[] }> {
  using caller = new Caller(agentPort)
  const names = ids(`five-${set}`, many)
  const ms: number[] = []
  for (const id of names) ms.push((await install(caller, id, { Engine: engine })).ms)
  return { names, ms }
}

/** A container that exists and does not run, and for Podman its unit: what an install without a start leaves. */
async function madeByHand(engine: Engine): Promise<readonly number[]> {
  const ms: number[] = []
  for (let index = 0; index < byHandCount; index++) {
    const name = `by-hand-${index}`
    const startMs = performance.now()
    await run(engine, 'create', '--name', name, '-p', `${5000 + index}:8080`, image)
    if (engine === 'podman') await run('podman', 'generate', 'systemd', '--new', '--name', name)
    ms.push(performance.now() - startMs)
  }
  await run(engine, 'rm', ...Array.from({ length: byHandCount }, (_, index) => `by-hand-${index}`))
  return ms
}
