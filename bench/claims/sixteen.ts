/** 16 connections at once make no errors, and get at least as much done as one. */
import { agentPort, asJson, atOnce, ids, installCall } from '../agent.ts'
import { type Call, Caller } from '../caller.ts'
import { type Engine, onEngine } from '../engine.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 3
const calls = 320
const wide = 16

export const measure = (): Promise<readonly Measurement[]> => sixteen('docker')

interface Samples {
  /** Calls a second, one sample a repetition. */
  readonly perSecond: number[][]
  /** Of each call. */
  readonly ms: number[][]
}

export async function sixteen(engine: Engine): Promise<readonly Measurement[]> {
  const none = (): { readonly one: Samples; readonly wide: Samples } => ({
    one: { perSecond: [], ms: [] },
    wide: { perSecond: [], ms: [] },
  })
  const [installs, reads] = [none(), none()]
  const newCall = (id: string) => installCall(id, { Engine: engine })
  let errors = 0
  await throughput(wide, ids('warm', calls).map(newCall))
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const width of repetition % 2 === 0 ? ([1, wide] as const) : ([wide, 1] as const)) {
      const names = ids(`wide-${repetition}-${width}`, calls)
      const kind = width === 1 ? 'one' : 'wide'
      for (const [samples, callOf] of [
        [installs, newCall],
        [reads, statusCall],
      ] as const) {
        const round = await throughput(width, names.map(callOf))
        samples[kind].perSecond.push([round.perSecond])
        samples[kind].ms.push(round.ms)
        errors += round.errors
      }
    }
  }
  const where = onEngine(engine)
  return [
    { what: `errors among all calls${where}`, unit: '', samples: [[errors]], goal: { of: 'median', atMost: 0 } },
    ...[
      { what: 'install', samples: installs },
      { what: 'status as JSON', samples: reads },
    ].flatMap(({ what, samples: { one, wide } }): readonly Measurement[] => [
      {
        what: `${what} at 16 connections, so many a second${where}`,
        unit: '/s',
        samples: wide.perSecond,
        peers: [{ name: 'at one connection', samples: one.perSecond }],
        goal: { of: 'ratio', atLeast: 1 },
      },
      {
        what: `${what} at 16 connections, each${where}`,
        unit: 'ms',
        samples: wide.ms,
        peers: [{ name: 'at one connection', samples: one.ms }],
      },
    ]),
  ]
}

function statusCall(id: string): Call {
  return { method: 'GET', path: `/container/${id}/status`, headers: asJson }
}

interface Throughput {
  readonly perSecond: number
  readonly ms: number[]
  readonly errors: number
}

/** A broken connection is an error of this run as a bad status is: neither ends it. */
async function throughput(width: number, all: readonly Call[]): Promise<Throughput> {
  using caller = new Caller(agentPort, width)
  const startMs = performance.now()
  const answers = await atOnce(width, all, async call => {
    try {
      return await caller.call(call)
    } catch (error) {
      process.stderr.write(`${call.method} ${call.path}: ${String(error)}\n`)
      return undefined
    }
  })
  const seconds = (performance.now() - startMs) / 1000
  const fine = answers.filter(answer => answer !== undefined && answer.status < 300)
  return { perSecond: all.length / seconds, ms: fine.map(answer => answer?.ms ?? 0), errors: all.length - fine.length }
}
