/**
 * Measures what is claimed, each claim on a lab host that is made for it and goes away again.
 *
 * Usage: node bench/run.ts [--json | --write] [CLAIM…]
 * `--json` prints the findings for programs; `--write` writes docs/performance.md with its pictures, and takes all claims. The exit code is 1 when a goal is missed.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printTable } from '../src/formats/index.ts'
import { LabHost, labCommand } from '../test/host/lab-host.ts'
import { claims } from './claims/index.ts'
import { judge, type Measurement } from './finding.ts'
import { machineText, otherWorkText, waitUntilIdle } from './machine.ts'
import { type Circumstances, columns, page, pictures, rows, type Section } from './report.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = '/opt/gear-bench'
const claimMs = 1_800_000

const { values: flags, positionals: asked } = parseArgs({
  options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const names = asked.length === 0 ? Object.keys(claims) : asked
const unknown = names.filter(name => claims[name] === undefined)
if (unknown.length > 0) throw new Error(`there is no claim ${unknown.join(', ')}; there are ${Object.keys(claims).join(', ')}`)
if (flags.write && asked.length > 0) throw new Error('--write takes all claims: the page is about one build')

// A lab of its own, so that the hosts of others are left alone.
process.env['GEAR_LAB'] = 'bench'
await beAlone()
const sections: Section[] = []
let gear = ''
let busiest = 0
try {
  for (const name of names) {
    const { hosts = ['bench'] } = (await claims[name]?.()) ?? {}
    const host = await freshHosts(hosts)
    busiest = Math.max(busiest, await waitUntilIdle())
    process.stderr.write(`measuring ${name}\n`)
    gear = (await host.gearDo('--version')).trim()
    sections.push({ claim: name, findings: (await measureOn(host, name)).map(judge) })
  }
} finally {
  await labCommand('down')
}
print(sections, { date: new Date().toISOString().slice(0, 10), machine: machineText(), otherWork: otherWorkText(busiest), gear })
process.exitCode = sections.some(({ findings }) => findings.some(finding => finding.isMet === false)) ? 1 : 0

/** Two runs would take each other's host away, and slow each other down. An abstract socket is free again however its process ends. */
async function beAlone(): Promise<void> {
  const server = createServer().unref().listen('\0gear-bench')
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error('another run of the benches is under way', { cause })
  }
}

async function freshHosts(hosts: readonly [string, ...string[]]): Promise<LabHost> {
  await labCommand('down')
  await labCommand('up', ...hosts)
  if (hosts.length > 1) await Promise.all(hosts.map(name => openToOthers(new LabHost(name))))
  return new LabHost(hosts[0])
}

async function openToOthers(host: LabHost): Promise<void> {
  await host.sh(`echo 'GEARD_OPTS="http://0.0.0.0:43273 --insecure-http"' >> /etc/default/gear; systemctl restart gear.service`)
}

async function measureOn(host: LabHost, claim: string): Promise<readonly Measurement[]> {
  // An archive of text files is text, with zeros in it.
  const archive = execFileSync('tar', ['--create', '--directory', here, '--exclude=*.test.ts', '.'], { encoding: 'utf8' })
  await host.do(['mkdir', folder])
  await host.do(['tar', '--extract', '--directory', folder], { input: archive })
  const output = await host.do(['/usr/lib/gear/bin/node', `${folder}/inside.ts`, claim], { timeoutMs: claimMs })
  return JSON.parse(output) as readonly Measurement[]
}

function print(all: readonly Section[], circumstances: Circumstances): void {
  if (flags.write) {
    const folder = `${here}../docs/performance`
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    for (const [name, picture] of all.flatMap(section => [...pictures(section)])) writeFileSync(`${folder}/${name}`, picture)
    writeFileSync(`${folder}.md`, page(all, circumstances))
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...circumstances, claims: all }, undefined, 2)}\n`)
  else
    process.stdout.write(
      printTable(
        [...columns],
        all.flatMap(({ findings }) => findings.flatMap(rows)),
      ),
    )
}
