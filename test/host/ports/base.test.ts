/** Files, commands and clock on a real host. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { afterEach, describe } from 'vitest'
import { accountsSuite } from '../../../src/host/accounts/accounts.suite.ts'
import { passwdAccounts } from '../../../src/host/accounts/passwd.ts'
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

describe('accounts', () => {
  const folders: string[] = []
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
  })

  accountsSuite(async () => {
    const base = await mkdtemp('/var/lib/port-suite-')
    folders.push(base)
    const files = diskFiles()
    const accounts = passwdAccounts(files, processCommands())
    return {
      accounts,
      files,
      base,
      ownerOf: async path => (await lstat(path)).uid,
      modeOf: async path => (await lstat(path)).mode & 0o7777,
      runAs: async login => {
        const { uid = 0, gid = 0 } = (await accounts.find(login)) ?? {}
        const child = spawn('/usr/bin/sleep', ['60'], { uid, gid, stdio: 'ignore' })
        // It may be ended by somebody else before it is ended here.
        const closed = once(child, 'close')
        await once(child, 'spawn')
        return async () => {
          child.kill()
          await closed
        }
      },
    }
  })
})
