/** Files, commands and clock on a real host. */
import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { afterEach, describe } from 'vitest'
import { clockSuite } from '../../../src/host/clock/clock.suite.ts'
import { systemClock } from '../../../src/host/clock/system.ts'
import { commandsSuite } from '../../../src/host/commands/commands.suite.ts'
import { processCommands } from '../../../src/host/commands/process.ts'
import { diskFiles } from '../../../src/host/files/disk.ts'
import { filesSuite } from '../../../src/host/files/files.suite.ts'

describe('files below /var/lib/containers', () => {
  const folders: string[] = []
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
  })

  filesSuite(async () => {
    await mkdir('/var/lib/containers', { recursive: true })
    const base = await mkdtemp('/var/lib/containers/port-suite-')
    folders.push(base)
    return {
      files: diskFiles(),
      base,
      modeOf: async path => (await lstat(path)).mode & 0o7777,
      isSameFile: async (one, other) => (await lstat(one)).ino === (await lstat(other)).ino,
    }
  })
})

describe('commands', () => {
  commandsSuite(() => processCommands())
})

describe('the clock', () => {
  clockSuite(() => ({ clock: systemClock(), pass: async () => {} }))
})
