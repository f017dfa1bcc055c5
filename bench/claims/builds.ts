/**
 * A build costs little beside its own work: at most 1.15 times what the same steps take by hand with the engine's command line, of a source of 10 MB
 * whose assemble compresses it. And a second build of a Node application, which takes its packages over from the first, is faster than that.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { application } from '../application.ts'
import { childEnvironment } from '../children.ts'
import { type Engine, onEngine } from '../engine.ts'
import type { Measurement } from '../finding.ts'

const source = '/root/bench-source'
const image = 'gear/httpd'
const repetitions = 3
const applicationRepetitions = 5

/**
 * Without a journal ext4 passes over each inode that was deleted less than 5 s ago (35 s while that is not on disk) whenever it looks for a free one: what a
 * build has removed at its end would slow the next one down by as much again (recently_deleted in the kernel's fs/ext4/ialloc.c).
 */
const deletedInodesMs = 5500

/** Prose-like bytes: neither noise nor nothing, so that compressing them is work. */
const assemble = `#!/bin/sh
set -e
mkdir -p /site
for file in /tmp/src/*.txt; do gzip -9 -c "$file" > "/site/\${file##*/}.gz"; done
`

const byHand = `
set -e
docker create --name bench-hand --memory 1g --pids-limit 4096 ${image} /tmp/src/.s2i/bin/assemble
tar -C /root -c --transform 's,^bench-source,src,' bench-source | docker cp - bench-hand:/tmp
docker start -a bench-hand
docker cp ${source}/.s2i/bin/run bench-hand:/run-site
docker commit -c 'CMD ["/run-site"]' bench-hand bench/hand
docker rm -f -v bench-hand
`

export async function measure(): Promise<readonly Measurement[]> {
  mkdirSync(`${source}/.s2i/bin`, { recursive: true })
  for (const [name, text] of [
    ['assemble', assemble],
    ['run', '#!/bin/sh\nexec busybox httpd -f -p 8080 -h /site\n'],
  ] as const) {
    writeFileSync(`${source}/.s2i/bin/${name}`, text, { mode: 0o755 })
  }
  for (let file = 0; file < 20; file++) {
    const words = Array.from({ length: 75_000 }, (_, index) => `word${(index * (file + 7919)) % 9973}`)
    writeFileSync(`${source}/${file}.txt`, words.join(' '))
  }
  const ours: number[][] = []
  const hand: number[][] = []
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const gear = runMs('/usr/bin/gear', ['build', source, image, 'bench/gear', '--clean'])
    const engine = runMs('/bin/sh', ['-c', byHand])
    if (repetition < 0) continue // the first round fills the page cache
    ours.push([gear])
    hand.push([engine])
  }
  const peers = [{ name: 'the same steps by hand with docker', samples: hand }]
  const overhead: Measurement = {
    what: 'gear build of a source of 10 MB',
    unit: 'ms',
    samples: ours,
    peers,
    goal: { of: 'ratio', atMost: 1.15 },
  }
  await applicationBuild('docker', ['--clean']) // the registry's relay fetches each package once
  return [overhead, await again('docker'), await again('podman')]
}

/** The second build of a Node application beside its first, after a change of the source, in turns. */
async function again(engine: Engine): Promise<Measurement> {
  const first: number[][] = []
  const second: number[][] = []
  let packages = 0
  for (let repetition = 0; repetition < applicationRepetitions; repetition++) {
    const whole = await applicationBuild(engine, ['--clean'])
    packages = Number(/^added (\d+) packages in /m.exec(whole.printed)?.[1])
    const incremental = await applicationBuild(engine, [])
    if (!/^up to date in /m.test(incremental.printed)) throw new Error(`packages were not taken over: ${incremental.printed}`)
    first.push([whole.ms])
    second.push([incremental.ms])
  }
  const what = `second, incremental build of a Node application of ${packages} packages${onEngine(engine)}`
  const peers = [{ name: 'its first build, with a registry that is near', samples: first }]
  return { what, unit: 'ms', samples: second, peers, goal: { of: 'ratio', atMost: 0.7 } }
}

async function applicationBuild(engine: Engine, flags: readonly string[]): Promise<Done> {
  runMs('/usr/bin/sync', [])
  await sleep(deletedInodesMs)
  writeFileSync(`${application.folder}/title`, String(performance.now()))
  const variables = { GEARD_ENGINE: engine }
  return timed('/usr/bin/gear', ['build', application.folder, application.builder, 'bench/shop', '--memory', '2g', ...flags], variables)
}

function runMs(command: string, args: readonly string[]): number {
  return timed(command, args).ms
}

interface Done {
  readonly ms: number
  readonly printed: string
}

function timed(command: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}): Done {
  const startMs = performance.now()
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { ...childEnvironment, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  const ms = performance.now() - startMs
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
  return { ms, printed: stdout }
}
