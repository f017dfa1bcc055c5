/** Both engines as builders, on a real host. */
import { mkdtemp, rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe } from 'vitest'
import { builderSuite } from '../../../src/host/builder/builder.suite.ts'
import { engineCliBuilder } from '../../../src/host/builder/engine-cli.ts'
import { processCommands } from '../../../src/host/commands/process.ts'
import { diskFiles } from '../../../src/host/files/disk.ts'

const commands = processCommands({ runMs: 60_000, outputBytes: 1_048_576 })

describe.each(['docker', 'podman'] as const)('%s', kind => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp('/var/tmp/builder-suite-')
    if (kind === 'podman') await commands.run('podman', ['load', '--quiet', '--input=/usr/share/gear-lab/images.tar'])
  })
  afterAll(() => rm(folder, { recursive: true }))

  builderSuite(async () => ({
    builder: engineCliBuilder(commands, async () => ({ kind }), '/var/lib/containers'),
    files: diskFiles(),
    folder,
    image: 'gear/httpd',
    userImage: 'gear/httpd-user',
    behave: () => {},
  }))
})
