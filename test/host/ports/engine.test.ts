/** The engines of a real host: Docker always; Podman on a socket served for the tests. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { dockerEngine } from '../../../src/host/engine/docker.ts'
import { engineSuite } from '../../../src/host/engine/engine.suite.ts'

const run = promisify(execFile)

async function importImage(tool: string, name: string): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), 'gear-image-'))
  await mkdir(join(base, 'bin'))
  await run('cp', ['/bin/busybox', join(base, 'bin/busybox')])
  await run('tar', ['-C', base, '-cf', join(base, 'image.tar'), 'bin'])
  await run(tool, ['import', '--change', 'CMD ["/bin/busybox","sleep","1000"]', join(base, 'image.tar'), name])
  await rm(base, { recursive: true })
}

function maker(tool: string, image: string) {
  return async (
    name: string,
    options: { readonly labels: Readonly<Record<string, string>>; readonly isRunning: boolean },
  ): Promise<void> => {
    const labels = Object.entries(options.labels).flatMap(([label, value]) => ['--label', `${label}=${value}`])
    const mode = options.isRunning ? ['run', '-d'] : ['create']
    await run(tool, [...mode, '--name', name, '--network', 'none', ...labels, image])
  }
}

describe('Docker', () => {
  const image = 'gear-suite:latest'
  const engine = dockerEngine()

  beforeAll(() => importImage('docker', image))
  afterAll(() => run('docker', ['image', 'rm', '--force', image]))

  engineSuite(async () => ({ engine, image, makeContainer: maker('docker', image) }))

  test('anonymous volumes stay unless they are to go', async () => {
    const volumes = async (): Promise<number> => (await run('docker', ['volume', 'ls', '--quiet'])).stdout.split('\n').length
    const before = await volumes()
    for (const [name, withVolumes] of [
      ['suite-keep', false],
      ['suite-drop', true],
    ] as const) {
      await run('docker', ['create', '--name', name, '-v', '/data', image])
      await engine.removeContainer(name, { withVolumes })
    }
    expect(await volumes()).toBe(before + 1)
    await run('docker', ['volume', 'prune', '--force'])
  })
})

describe('Podman', () => {
  const image = 'localhost/gear-suite:latest'
  const socketPath = `/run/gear-suite-podman-${process.pid}.sock`
  const engine = dockerEngine({ kind: 'podman', socketPath })
  let service: ChildProcess | undefined

  beforeAll(async () => {
    await importImage('podman', image)
    service = spawn('/usr/bin/podman', ['system', 'service', '--time=0', `unix://${socketPath}`], { stdio: 'ignore' })
    await vi.waitUntil(() => existsSync(socketPath), { timeout: 10_000 })
  })

  afterAll(async () => {
    if (service?.kill() === true) await once(service, 'exit')
    await run('podman', ['image', 'rm', '--force', image])
    await rm(socketPath, { force: true })
  })

  engineSuite(async () => ({ engine, image, makeContainer: maker('podman', image) }))
})
