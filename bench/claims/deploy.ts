/**
 * A deploy of 30 instances on three hosts, until all of them run, takes at most half of the time of a loop of `gear install`, `gear link` and waiting; and
 * 5,000 instances on 200 hosts are planned within 2 s, the start of the command and what it prints among it.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 3
const count = 30
const folder = mkdtempSync(`${tmpdir()}/gear-bench-`)

export async function measure(hosts: readonly string[]): Promise<readonly Measurement[]> {
  try {
    const deploys: number[][] = []
    const loops: number[][] = []
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const both = { deploy: () => void deploys.push([deployMs(hosts)]), loop: () => void loops.push([loopMs(hosts)]) }
      for (const name of repetition % 2 === 0 ? (['deploy', 'loop'] as const) : (['loop', 'deploy'] as const)) {
        both[name]()
        gear('delete', ...idsOn(hosts))
      }
    }
    return [
      {
        what: `deploy of ${count} linked instances on 3 hosts`,
        unit: 'ms',
        samples: deploys,
        peers: [{ name: 'gear install, gear link, one after the other', samples: loops }],
        goal: { of: 'ratio', atMost: 0.5 },
      },
      { what: 'plan of 5,000 instances on 200 hosts', unit: 'ms', samples: plansMs(), goal: { of: 'p99', atMost: 2000 } },
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function write(name: string, file: unknown): string {
  writeFileSync(`${folder}/${name}`, JSON.stringify(file))
  return name
}

const fleet = (size: number) => ({
  IdPrefix: 'bench-',
  Containers: [{ Name: 'web', Image: 'gear/httpd', Count: size, PublicPorts: [{ Internal: 8080 }], Links: [{ To: 'web' }] }],
})

function deployMs(hosts: readonly string[]): number {
  write('fleet.json', fleet(count))
  return timed(() => gear('deploy', 'fleet.json', ...hosts))
}

function idsOn(hosts: readonly string[]): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${hosts[index % hosts.length]}/bench-web-${index + 1}`)
}

/** What an operator would write who has no deployments. */
function loopMs(hosts: readonly string[]): number {
  const ids = idsOn(hosts)
  return timed(() => {
    const ports = ids.map(id => /8080 -> (\d+)/.exec(gear('install', 'gear/httpd', id, '-p', '8080:0'))?.[1])
    const links = ids.map((id, index) => `${8080 + index}:${id.split('/')[0]}:${ports[index]}`).join(',')
    for (const id of ids) gear('link', id, '-n', links)
    for (const id of ids) gear('start', id)
    gear('start', '--wait', ...ids)
  })
}

function plansMs(): readonly number[][] {
  const tier = (Name: string, Count: number) => ({
    ...fleet(Count).Containers[0],
    Name,
    Links: [{ To: 'db', NonLocal: true, MatchPort: true }],
  })
  const file = write('large.json', { Containers: [tier('web', 3900), tier('work', 1000), { ...tier('db', 100), Affinity: 'distribute' }] })
  const many = Array.from({ length: 200 }, (_, index) => `host${index}`)
  return Array.from({ length: 5 }, () => [timed(() => gear('deploy', '--dry-run', file, ...many))])
}

function timed(work: () => unknown): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}

function gear(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('/usr/bin/gear', words, {
    cwd: folder,
    env: childEnvironment,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(`gear ${words.slice(0, 4).join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}
