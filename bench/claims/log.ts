/** A log that is followed through the agent comes as fast as journalctl itself follows it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { agentPort, install, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 3
const pairs = 2
const lines = 100_000
const id = 'bench-log'

export async function measure(): Promise<readonly Measurement[]> {
  using agent = new Caller(agentPort)
  const script = `i=0; while [ $i -lt ${lines} ]; do echo "line $i of a log that is followed"; i=$((i+1)); done; sleep 600`
  await install(agent, id, { Image: 'gear/script', Started: true, Environment: { Id: id, Variables: [{ Name: 'SCRIPT', Value: script }] } })
  await untilState(agent, id, 'active')
  const ways = {
    ours: () =>
      linesPerSecond('curl', [
        '-q',
        '-sSN',
        '--unix-socket',
        '/run/gear/gear.sock',
        '-H',
        'Accept: text/plain;stream=true',
        `http://gear/container/${id}/log?follow=1&since=-1h`,
      ]),
    command: () => linesPerSecond('gear', ['log', id, '--since=1h', '--follow']),
    journalctl: () => linesPerSecond('journalctl', ['--quiet', '--no-pager', '--unit', `ctr-${id}.service`, '--since=-1h', '--follow']),
  }
  const samples = { ours: [] as number[][], command: [] as number[][], journalctl: [] as number[][] }
  for (const way of Object.values(ways)) await way() // until all lines are in the journal, and it in memory
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const name of ['ours', 'command', 'journalctl'] as const) samples[name].push([])
    for (let pair = 0; pair < pairs; pair++) {
      for (const name of ['ours', 'journalctl', 'command'] as const) samples[name].at(-1)?.push(await ways[name]())
    }
  }
  const peers = [{ name: 'journalctl --follow', samples: samples.journalctl }]
  return [
    { what: 'lines of a log over the API', unit: '/s', samples: samples.ours, peers },
    { what: 'lines of gear log --follow', unit: '/s', samples: samples.command, peers },
  ]
}

async function linesPerSecond(command: string, args: readonly string[]): Promise<number> {
  const startMs = performance.now()
  const child = spawn(command, args, { env: childEnvironment, stdio: ['ignore', 'pipe', 'inherit'] })
  let count = 0
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('of a log that is followed') && ++count === lines) break
  }
  const seconds = (performance.now() - startMs) / 1000
  if (count < lines) throw new Error(`${command} ended after ${count} lines`)
  child.kill()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return count / seconds
}
