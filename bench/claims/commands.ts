/** The command line starts fast: its version in at most 1.3 times, one command to an agent in at most 1.8 times the run of an empty script. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { agentPort, ids, installAll } from '../agent.ts'
import { childEnvironment } from '../children.ts'
import type { Goal, Measurement } from '../finding.ts'

const repetitions = 5
const pairs = 10

interface Command {
  readonly what: string
  readonly words: readonly string[]
  readonly goal?: Goal
}

export async function measure(): Promise<readonly Measurement[]> {
  const names = ids('command', 3)
  await installAll(names)
  const folder = mkdtempSync(`${tmpdir()}/gear-bench-`)
  // A module, as gear's own main file is one.
  const script = `${folder}/empty.mjs`
  writeFileSync(script, '')
  const commands: readonly Command[] = [
    { what: 'gear --version', words: ['--version'], goal: { of: 'ratio', atMost: 1.3 } },
    {
      what: 'gear list-units of an agent over TCP',
      words: ['list-units', '--all', `127.0.0.1:${agentPort}`],
      goal: { of: 'ratio', atMost: 1.8 },
    },
    { what: 'gear stop of an agent over TCP', words: ['stop', `127.0.0.1:${agentPort}/${names[0]}`], goal: { of: 'ratio', atMost: 1.8 } },
    { what: 'gear list-units of this host', words: ['list-units', '--all'], goal: { of: 'ratio', atMost: 1.8 } },
    { what: 'gear --help', words: ['--help'] },
  ]
  try {
    return commands.map(command => compare(command, script))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compare({ what, words, goal }: Command, script: string): Measurement {
  const ours: number[][] = []
  const empty: number[][] = []
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const samples = { ours: [] as number[], empty: [] as number[] }
    for (let pair = 0; pair < pairs; pair++) {
      const gear = () => void samples.ours.push(runMs('/usr/bin/gear', words))
      const node = () => void samples.empty.push(runMs(process.execPath, [script]))
      for (const run of pair % 2 === 0 ? [gear, node] : [node, gear]) run()
    }
    if (repetition < 0) continue // the first round fills the page cache
    ours.push(samples.ours)
    empty.push(samples.empty)
  }
  const peers = [{ name: 'an empty script on the same Node', samples: empty }]
  return { what, unit: 'ms', samples: ours, peers, ...(goal === undefined ? {} : { goal }) }
}

/** This process does nothing else meanwhile, and takes the time on both sides of the same call. */
function runMs(command: string, args: readonly string[]): number {
  const startMs = performance.now()
  const { status, stderr } = spawnSync(command, args, { env: childEnvironment, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  const ms = performance.now() - startMs
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return ms
}
