/** The agent at rest beside 500 installed containers: how much memory it holds, and how much time of a processor it takes. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ids, installAll } from '../agent.ts'
import type { Measurement } from '../finding.ts'
import { property } from '../systemd.ts'

/** Ten minutes in all. */
const windows = 5
const windowMs = 120_000

/** USER_HZ, in which proc(5) counts. */
const tickMs = 10

export async function measure(): Promise<readonly Measurement[]> {
  await installAll(ids('idle', 500))
  await sleep(10_000)
  const [agent, engine] = [pidOf('gear.service'), pidOf('docker.service')]
  const memory = { agent: [] as number[][], engine: [] as number[][] }
  const time = { agent: [] as number[][], engine: [] as number[][] }
  for (let window = 0; window < windows; window++) {
    const before = [processorMs(agent), processorMs(engine)] as const
    await sleep(windowMs)
    const minutes = windowMs / 60_000
    time.agent.push([(processorMs(agent) - before[0]) / minutes])
    time.engine.push([(processorMs(engine) - before[1]) / minutes])
    memory.agent.push([residentMb(agent)])
    memory.engine.push([residentMb(engine)])
  }
  return [
    {
      what: 'resident memory of the agent at rest',
      unit: 'MB',
      samples: memory.agent,
      peers: [{ name: 'dockerd', samples: memory.engine }],
    },
    {
      what: 'processor time of the agent at rest, each minute',
      unit: 'ms',
      samples: time.agent,
      peers: [{ name: 'dockerd', samples: time.engine }],
    },
  ]
}

function pidOf(unit: string): number {
  return Number(property(unit, 'MainPID'))
}

function residentMb(pid: number): number {
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6
}

/** utime and stime, the 14th and 15th field; the second is a name in parentheses that may hold anything. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}
