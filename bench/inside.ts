/** Runs on a lab host: measures one claim there and prints what came out as JSON. Usage: node inside.ts CLAIM */
import { execFileSync } from 'node:child_process'
import { claims } from './claims/index.ts'
import type { Measurement } from './finding.ts'

/** What a lab host tells about a claim. */
export interface Measured {
  readonly measurements: readonly Measurement[]
  /** What holds the agent's state. */
  readonly disk: string
}

const claim = claims[process.argv[2] ?? '']
if (claim === undefined) throw new Error(`there is no claim ${process.argv[2]}`)
const disk = execFileSync('findmnt', ['--noheadings', '--output', 'FSTYPE', '--target', '/var/lib/containers'], { encoding: 'utf8' })
const measure = await claim.load()
const measured: Measured = { measurements: await measure(claim.hosts ?? ['bench']), disk: disk.trim() }
process.stdout.write(JSON.stringify(measured))
