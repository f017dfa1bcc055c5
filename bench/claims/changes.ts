/**
 * Beside 1,000 installed containers, a change that is only queued or only written is answered in under 10 ms: start, stop, restart,
 * environments, network links. An install that starts too waits until systemd has found the new unit, for which it follows every link to a unit that there is, with
 * eight system calls each: it takes what a plain unit takes. Deletes and updates wait for systemd to reload; they are told for comparison.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { agentPort, ids, install, installAll, untilState } from '../agent.ts'
import { type Call, Caller } from '../caller.ts'
import { plainUnit, run } from '../engine.ts'
import type { Goal, Measurement } from '../finding.ts'
import { openDurableFloor } from '../floors.ts'
import { keepLoaded } from '../systemd.ts'

const repetitions = 3
const under10: Goal = { of: 'p99', atMost: 10 }

export async function measure(): Promise<readonly Measurement[]> {
  const stopped = ids('still', 1000)
  await installAll(stopped)
  keepLoaded(stopped)
  using caller = new Caller(agentPort)
  const turns = await repeat(repetition => startStopRestart(caller, repetition))
  const plain = await repeat(plainStarts)
  const writes = await repeat(repetition => writeEnvironments(caller, repetition))
  const slow = await repeat(repetition => updateAndDelete(caller, stopped.slice(repetition * 10, repetition * 10 + 10)))
  const durable = { name: 'write, sync, rename, sync the folder', samples: writes.map(samples => samples.durable) }
  return [
    { what: 'queue the start of a container', unit: 'ms', samples: turns.map(samples => samples.start), goal: under10 },
    { what: 'queue a restart', unit: 'ms', samples: turns.map(samples => samples.restart), goal: under10 },
    { what: 'queue a stop', unit: 'ms', samples: turns.map(samples => samples.stop), goal: under10 },
    {
      what: 'install and queue the start',
      unit: 'ms',
      samples: turns.map(samples => samples.installStarted),
      peers: [{ name: 'link a plain unit, systemctl start --no-block', samples: plain }],
      goal: { of: 'ratio', atMost: 1.5 },
    },
    { what: 'replace an environment', unit: 'ms', samples: writes.map(samples => samples.put), peers: [durable], goal: under10 },
    { what: 'add to an environment', unit: 'ms', samples: writes.map(samples => samples.patch), peers: [durable], goal: under10 },
    {
      what: 'install with an environment and links',
      unit: 'ms',
      samples: writes.map(samples => samples.everything),
      peers: [durable],
      goal: under10,
    },
    { what: 'update a container (reloads systemd)', unit: 'ms', samples: slow.map(samples => samples.update) },
    { what: 'delete a container (reloads systemd)', unit: 'ms', samples: slow.map(samples => samples.remove) },
  ]
}

async function repeat<Samples>(round: (repetition: number) => Promise<Samples>): Promise<readonly Samples[]> {
  const rounds: Samples[] = []
  for (let repetition = 0; repetition < repetitions; repetition++) rounds.push(await round(repetition))
  return rounds
}

/**
 * Each call is made when the one before has come to rest, so that no container's start is in the way of an answer. The ids are new: one that
 * was deleted may have to wait for systemd to forget it.
 */
async function startStopRestart(caller: Caller, repetition: number) {
  const samples = { start: [] as number[], stop: [] as number[], restart: [] as number[], installStarted: [] as number[] }
  for (const id of ids(`turn-${repetition}`, 10)) {
    samples.installStarted.push((await install(caller, id, { Started: true })).ms)
    await settle(caller, id, 'active')
    samples.restart.push(await callMs(caller, { method: 'POST', path: `/container/${id}/restart` }))
    await settle(caller, id, 'active')
    samples.stop.push(await callMs(caller, { method: 'PUT', path: `/container/${id}/stopped` }))
    await settle(caller, id, 'inactive')
    samples.start.push(await callMs(caller, { method: 'PUT', path: `/container/${id}/started` }))
    await settle(caller, id, 'active')
    await callMs(caller, { method: 'PUT', path: `/container/${id}/stopped` })
    await settle(caller, id, 'inactive')
  }
  return samples
}

/** Units of busybox, each new, for systemd to find and to start. */
async function plainStarts(repetition: number): Promise<readonly number[]> {
  const folder = '/srv/bench-units'
  mkdirSync(folder, { recursive: true })
  const times: number[] = []
  for (let index = 0; index < 10; index++) {
    const name = `bench-plain-${repetition}-${index}.service`
    writeFileSync(`${folder}/${name}`, plainUnit(6000 + repetition * 10 + index))
    const beganMs = performance.now()
    symlinkSync(`${folder}/${name}`, `/etc/systemd/system/${name}`)
    await run('systemctl', 'start', '--no-block', name)
    times.push(performance.now() - beganMs)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  return times
}

async function settle(caller: Caller, id: string, state: string): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 100))
  await untilState(caller, id, state)
}

async function writeEnvironments(caller: Caller, repetition: number) {
  using disk = openDurableFloor()
  const samples = { put: [] as number[], patch: [] as number[], everything: [] as number[], durable: [] as number[] }
  for (const id of ids(`env-${repetition}`, 200)) {
    const variables = { Variables: [{ Name: 'MODE', Value: 'production' }] }
    samples.put.push(await callMs(caller, { method: 'PUT', path: '/environment/bench-env', body: variables }))
    samples.patch.push(await callMs(caller, { method: 'PATCH', path: '/environment/bench-env', body: variables }))
    const links = [{ FromPort: 6379, ToHost: '10.1.2.3', ToPort: 4100 }]
    samples.everything.push((await install(caller, id, { Environment: { Id: id, ...variables }, NetworkLinks: links })).ms)
    samples.durable.push(disk.writeMs())
  }
  return samples
}

async function updateAndDelete(caller: Caller, names: readonly string[]) {
  const samples = { update: [] as number[], remove: [] as number[] }
  for (const id of names) {
    samples.update.push((await install(caller, id, { Restart: 'always' })).ms)
    samples.remove.push(await callMs(caller, { method: 'DELETE', path: `/container/${id}` }))
  }
  return samples
}

async function callMs(caller: Caller, call: Call): Promise<number> {
  return (await caller.do(call)).ms
}
