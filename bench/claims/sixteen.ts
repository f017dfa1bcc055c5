/** 16 connections at once make no errors, and get at least as much done as one. */
import { agentPort, asJson, atOnce, ids, installCall } from '../agent.ts'
import { type Call, Caller } from '../caller.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 3
const calls = 320
const wide = 16

export async function measure(): Promise<readonly Measurement[]> {
  const installs = { one: [] as number[][], wide: [] as number[][] }
  const reads = { one: [] as number[][], wide: [] as number[][] }
  let errors = 0
  await throughput(
    wide,
    ids('warm', calls).map(id => installCall(id)),
  )
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const width of repetition % 2 === 0 ? ([1, wide] as const) : ([wide, 1] as const)) {
      const names = ids(`wide-${repetition}-${width}`, calls)
      const kind = width === 1 ? 'one' : 'wide'
      for (const [samples, callOf] of [
        [installs, installCall],
        [reads, statusCall],
      ] as const) {
        const round = await throughput(
          width,
          names.map(id => callOf(id)),
        )
        samples[kind].push([round.perSecond])
        errors += round.errors
      }
    }
  }
  return [
    { what: 'errors among all calls', unit: '', samples: [[errors]], goal: { of: 'median', atMost: 0 } },
    {
      what: 'installs at 16 connections',
      unit: '/s',
      samples: installs.wide,
      peers: [{ name: 'at one connection', samples: installs.one }],
      goal: { of: 'ratio', atLeast: 1 },
    },
    {
      what: 'status as JSON at 16 connections',
      unit: '/s',
      samples: reads.wide,
      peers: [{ name: 'at one connection', samples: reads.one }],
      goal: { of: 'ratio', atLeast: 1 },
    },
  ]
}

function statusCall(id: string): Call {
  return { method: 'GET', path: `/container/${id}/status`, headers: asJson }
}

/** A broken connection is an error of this run as a bad status is: neither ends it. */
async function throughput(width: number, all: readonly Call[]): Promise<{ readonly perSecond: number; readonly errors: number }> {
  using caller = new Caller(agentPort, width)
  const startMs = performance.now()
  const isFine = await atOnce(width, all, async call => {
    try {
      return (await caller.call(call)).status < 300
    } catch (error) {
      process.stderr.write(`${call.method} ${call.path}: ${String(error)}\n`)
      return false
    }
  })
  const seconds = (performance.now() - startMs) / 1000
  return { perSecond: all.length / seconds, errors: isFine.filter(fine => !fine).length }
}
