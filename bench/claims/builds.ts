/**
 * A build costs little beside its own work: at most 1.15 times what the same steps take by hand with the engine's command line, of a source of 10 MB
 * whose assemble compresses it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'

const source = '/root/bench-source'
const image = 'gear/httpd'
const repetitions = 3

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
  return [{ what: 'gear build of a source of 10 MB', unit: 'ms', samples: ours, peers, goal: { of: 'ratio', atMost: 1.15 } }]
}

function runMs(command: string, args: readonly string[]): number {
  const startMs = performance.now()
  const { status, stderr } = spawnSync(command, args, { env: childEnvironment, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  const ms = performance.now() - startMs
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
  return ms
}
