/** The engines of a real host. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processCommands } from '../../../src/host/commands/process.ts'
import { dockerEngine } from '../../../src/host/engine/docker.ts'
import { engineSuite } from '../../../src/host/engine/engine.suite.ts'
import { podmanEngine } from '../../../src/host/engine/podman.ts'
import type { Engine } from '../../../src/host/engine/port.ts'
import { diskFiles } from '../../../src/host/files/disk.ts'

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

/** The fake has no volumes, so this is not in its suite. */
function anonymousVolumes(tool: string, engine: Engine, image: string): void {
  test('anonymous volumes stay unless they are to go', async () => {
    const volumes = async (): Promise<number> => (await run(tool, ['volume', 'ls', '--quiet'])).stdout.split('\n').length
    const before = await volumes()
    for (const [name, withVolumes] of [
      ['suite-keep', false],
      ['suite-drop', true],
    ] as const) {
      await run(tool, ['create', '--name', name, '-v', '/data', image])
      await engine.removeContainer(name, { withVolumes })
    }
    expect(await volumes()).toBe(before + 1)
    await run(tool, ['volume', 'prune', '--force'])
  })

  test('an anonymous volume goes with the last container that has it, though that has it by name; a named one stays', async () => {
    const volumes = async () => (await run(tool, ['volume', 'ls', '--quiet'])).stdout.split('\n')
    await run(tool, ['create', '--name', 'suite-first', '-v', '/data', '-v', 'suite-named:/named', image])
    const { volumes: anonymous = [] } = (await engine.container('suite-first')) ?? {}
    expect(anonymous).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
    await run(tool, ['create', '--name', 'suite-second', '-v', `${anonymous[0]}:/data`, '-v', 'suite-named:/named', image])
    await engine.removeContainer('suite-first', { withVolumes: true })
    expect(await volumes()).toEqual(expect.arrayContaining([...anonymous, 'suite-named']))
    expect((await engine.container('suite-second'))?.volumes).toEqual(anonymous)
    await engine.removeContainer('suite-second', { withVolumes: true })
    expect(await volumes()).toContain('suite-named')
    expect(await volumes()).not.toContain(anonymous[0])
    await run(tool, ['volume', 'rm', 'suite-named'])
  })
}

describe('Docker', () => {
  const image = 'gear-suite:latest'
  const engine = dockerEngine()

  beforeAll(() => importImage('docker', image))
  afterAll(() => run('docker', ['image', 'rm', '--force', image]))

  engineSuite(async () => ({ engine, image, makeContainer: maker('docker', image) }))

  anonymousVolumes('docker', engine, image)
})

describe('Podman', () => {
  const image = 'localhost/gear-suite:latest'
  const engine = podmanEngine({ commands: processCommands(), files: diskFiles() })

  beforeAll(() => importImage('podman', image))
  afterAll(() => run('podman', ['image', 'rm', '--force', image]))

  engineSuite(async () => ({ engine, image, makeContainer: maker('podman', image) }))

  anonymousVolumes('podman', engine, image)
})
