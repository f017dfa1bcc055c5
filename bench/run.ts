/**
 * Measures what is claimed, each claim on a lab host that is made for it and goes away again. What one claim finds is printed, and with --write kept,
 * before the next one begins; one that fails is told at the end and takes nothing from the others. The exit code is 1 when a goal is missed, 2 when a claim failed.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printTable } from '../src/formats/index.ts'
import { LabHost, labCommand } from '../test/host/lab-host.ts'
import { type Claim, claims, type Hosts } from './claims/index.ts'
import { judge } from './finding.ts'
import type { Measured } from './inside.ts'
import { machineText, OtherWork, otherWorkText, Patience } from './machine.ts'
import { type ClaimRecord, keepRecord, readRecords } from './records.ts'
import { columns, rows } from './report.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const folder = '/opt/gear-bench'

const usage = `usage: node bench/run.ts [--write | --json] [--without NAME]... [CLAIM...]

Measures the claims, or all of them, one after the other, each on lab hosts of its own. Needs root, the packages of \`make setup\` and a build.

  --write    keep what was found in docs/performance/findings.json, claim by claim, and make docs/performance.md and its pictures from all that is kept there
  --json     print what was found for programs
  --without  leave out a claim, such as idle, which is ten minutes of doing nothing

A claim waits at most a minute for the end of other work on the machine, all together three; then it is measured, and says so.

`

const { values: flags, positionals: asked } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    without: { type: 'string', multiple: true, default: [] },
  },
  allowPositionals: true,
})
if (flags.help) process.stdout.write(usage + claimList())
else await main(chosen())

function chosen(): readonly [string, Claim][] {
  const unknown = [...asked, ...flags.without].filter(name => claims[name] === undefined)
  if (unknown.length > 0) throw new Error(`there is no claim ${unknown.join(', ')}; there are ${Object.keys(claims).join(', ')}`)
  return Object.entries(claims).filter(([name]) => (asked.length === 0 || asked.includes(name)) && !flags.without.includes(name))
}

function claimList(): string {
  const all = Object.entries(claims)
  const minutes = all.reduce((sum, [, { seconds }]) => sum + seconds, 0) / 60
  const last = new Map(readRecords().map(({ claim, seconds }) => [claim, `${seconds} s`]))
  const lines = all.map(([name, { title, seconds }]) => [name, `${seconds} s`, last.get(name) ?? '', title])
  return `${printTable(['CLAIM', 'ABOUT', 'LAST', 'TITLE'], lines)}\nAbout ${Math.ceil(minutes)} minutes in all, on a quiet machine of two processors. LAST is what it took when it was kept last.\n`
}

async function main(all: readonly [string, Claim][]): Promise<void> {
  // A lab of its own, so that the hosts of others are left alone.
  process.env['GEAR_LAB'] = 'bench'
  await beAlone()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void labCommand('down').finally(() => process.exit(130)))
  }
  const records: ClaimRecord[] = []
  const failures: string[] = []
  const patience = new Patience()
  try {
    for (const [name, claim] of all) {
      try {
        const record = await measure(name, claim, patience)
        records.push(record)
        tell(record)
      } catch (error) {
        failures.push(name)
        process.stderr.write(`${name} failed: ${error instanceof Error ? error.message : String(error)}\n`)
      }
    }
  } finally {
    await labCommand('down')
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ claims: records }, undefined, 2)}\n`)
  if (failures.length > 0) process.stderr.write(`not measured: ${failures.join(', ')}\n`)
  const isMissed = records.some(({ findings }) => findings.some(finding => finding.isMet === false))
  process.exitCode = failures.length > 0 ? 2 : isMissed ? 1 : 0
}

async function measure(name: string, claim: Claim, patience: Patience): Promise<ClaimRecord> {
  const beganMs = performance.now()
  const hosts = claim.hosts ?? ['bench']
  const host = await freshHosts(hosts)
  await using _prepared = await claim.prepare?.(host)
  const waitedMs = await patience.untilIdle()
  process.stderr.write(`measuring ${name}, about ${claim.seconds} s\n`)
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const other = new OtherWork(hosts)
  const { measurements, disk } = await measureOn(host, name, claim)
  return {
    claim: name,
    date,
    build: buildText(),
    machine: machineText(),
    disk,
    otherWork: otherWorkText(other.share),
    seconds: Math.round((performance.now() - beganMs - waitedMs) / 1000),
    findings: measurements.map(judge),
  }
}

function tell(record: ClaimRecord): void {
  if (flags.write) {
    keepRecord(record)
    // Now, so that a run that is broken off leaves no page that is stale.
    execFileSync(process.execPath, [`${repository}tools/docs.ts`], { stdio: ['ignore', process.stderr, 'inherit'] })
  }
  if (flags.json) return
  process.stdout.write(`${claims[record.claim]?.title} (${record.seconds} s, ${record.otherWork})\n`)
  process.stdout.write(`${printTable([...columns], record.findings.flatMap(rows))}\n`)
}

/** Two runs would take each other's host away, and slow each other down. An abstract socket is free again however its process ends. */
async function beAlone(): Promise<void> {
  const server = createServer().unref().listen('\0gear-bench')
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error('another run of the benches is under way', { cause })
  }
}

async function freshHosts(hosts: Hosts): Promise<LabHost> {
  await labCommand('down')
  await labCommand('up', ...hosts)
  if (hosts.length > 1) await Promise.all(hosts.map(name => openToOthers(new LabHost(name))))
  return new LabHost(hosts[0])
}

async function openToOthers(host: LabHost): Promise<void> {
  await host.sh(`echo 'GEARD_OPTS="http://0.0.0.0:43273 --insecure-http"' >> /etc/default/gear; systemctl restart gear.service`)
}

async function measureOn(host: LabHost, name: string, { seconds }: Claim): Promise<Measured> {
  // An archive of text files is text, with zeros in it.
  const archive = execFileSync('tar', ['--create', '--directory', `${repository}bench`, '--exclude=*.test.ts', '.'], { encoding: 'utf8' })
  await host.do(['mkdir', folder])
  await host.do(['tar', '--extract', '--directory', folder], { input: archive })
  // A machine with other work takes several times as long; what hangs is given up.
  const timeoutMs = (180 + seconds * 5) * 1000
  return JSON.parse(await host.do(['/usr/lib/gear/bin/node', `${folder}/inside.ts`, name], { timeoutMs })) as Measured
}

/** The commit, and whether what is built differs from it. */
function buildText(): string {
  const git = (...words: readonly string[]) =>
    execFileSync('git', ['-C', repository, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const isChanged = git('status', '--porcelain', '--', 'src', 'libexec', 'bin', 'packaging') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`
  } catch {
    return 'unknown' // the sources came without their history
  }
}
