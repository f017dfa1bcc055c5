import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../clock/fake.ts'
import { codeOfFailure } from '../suites.ts'
import { diskFiles } from './disk.ts'
import { FakeFiles } from './fake.ts'
import { filesSuite } from './files.suite.ts'

function fakeFiles(): FakeFiles {
  const files = new FakeFiles(new FakeClock())
  files.putFolder('/base')
  return files
}

describe('fake files', () => {
  filesSuite(async () => {
    const files = fakeFiles()
    return {
      files,
      base: '/base',
      modeOf: async path => files.modeOf(path),
      isSameFile: async (one, other) => files.isSameFile(one, other),
    }
  })

  test('a power cut takes names that were not synced', async () => {
    const files = fakeFiles()
    await files.write('/base/synced', 'here', 0o644)
    await files.syncFolders(['/base'])
    await files.write('/base/unsynced', 'gone', 0o644)
    await files.remove('/base/synced')
    files.crash()
    expect(files.tree()).toEqual({ '/base/synced': 'here' })
  })

  test('a full disk refuses what needs room and lets the rest pass', async () => {
    const files = fakeFiles()
    files.failAfter(1, 'ENOSPC')
    await files.write('/base/a', '', 0o644)
    expect(await codeOfFailure(files.write('/base/b', '', 0o644))).toBe('DISK_FULL')
    expect(await files.remove('/base/a')).toBe(true)
    files.heal()
    await files.write('/base/b', '', 0o644)
  })

  test('one call can be made to fail', async () => {
    const files = fakeFiles()
    files.fail('write', '/base/a', new Error('no luck'))
    await expect(files.write('/base/a', '', 0o644)).rejects.toThrow('no luck')
    await files.write('/base/a', '', 0o644)
  })
})

describe('files on disk', () => {
  const folders: string[] = []
  const makeBase = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'gear-files-'))
    folders.push(folder)
    return folder
  }
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
  })

  filesSuite(async () => ({
    files: diskFiles(),
    base: await makeBase(),
    modeOf: async path => (await lstat(path)).mode & 0o7777,
    isSameFile: async (one, other) => (await lstat(one)).ino === (await lstat(other)).ino,
  }))

  test('files of /proc, which have no size, are read whole', async () => {
    const status = await diskFiles().read('/proc/self/status')
    expect(status).toContain('Pid:')
    expect(status?.endsWith('\n')).toBe(true)
  })

  test('a left-over of an old crash does not keep a folder from being removed, one just made does', async () => {
    const base = await makeBase()
    const files = diskFiles()
    await files.makeFolder(`${base}/old`, 0o755)
    await files.makeFolder(`${base}/new`, 0o755)
    await writeFile(`${base}/old/.gear-tmp-1-1`, '')
    await utimes(`${base}/old/.gear-tmp-1-1`, 1_000_000, 1_000_000)
    await writeFile(`${base}/new/.gear-tmp-1-1`, '')
    await files.removeEmptyFolder(`${base}/old`)
    await files.removeEmptyFolder(`${base}/new`)
    expect(await files.list(base)).toEqual([{ name: 'new', kind: 'directory' }])
  })

  test('a name that a crashed writer left does not stop a writer of the same process id', async () => {
    const base = await makeBase()
    await symlink('/etc/passwd', `${base}/.gear-tmp-${process.pid}-1`)
    await diskFiles().write(`${base}/a`, 'text', 0o644)
    expect(await diskFiles().read(`${base}/a`)).toBe('text')
  })

  test('a lock keeps other processes out', async () => {
    const base = await makeBase()
    const lock = await diskFiles().lock(`${base}/lock`)
    const [whileHeld] = await once(spawn('/usr/bin/flock', ['--nonblock', `${base}/lock`, '/usr/bin/true']), 'exit')
    expect(whileHeld).toBe(1)
    await lock?.[Symbol.asyncDispose]()
    const [afterwards] = await once(spawn('/usr/bin/flock', ['--nonblock', `${base}/lock`, '/usr/bin/true']), 'exit')
    expect(afterwards).toBe(0)
  })
})
