import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GitRef } from '../../api/index.ts'
import { parseCloneSource } from '../../formats/index.ts'
import { FakeClock } from '../clock/fake.ts'
import { FakeFiles } from '../files/fake.ts'
import { FakeGit } from './fake.ts'
import { gather, gitSuite } from './git.suite.ts'
import { processGit } from './process.ts'

describe('fake git', () => {
  gitSuite(async () => {
    const files = new FakeFiles(new FakeClock())
    const git = new FakeGit(files)
    const commit = 'a'.repeat(40)
    const source = '/srv/git/source.git'
    let count = 0
    git.sources.set(`file://${source}`, { main: commit, 'feature/one': commit, v1: commit })
    const place = async () => {
      const path = `/repository-${count++}`
      files.putFolder(path)
      return { path, account: undefined }
    }
    return { git, place, source, commit, isFilled: async folder => (await files.list(folder)).length > 0 }
  })
})

describe('git as processes', () => {
  let root = ''
  let commit = ''
  let count = 0
  const inSource = (...args: readonly string[]) =>
    execFileSync('/usr/bin/git', ['-C', join(root, 'allowed/source'), '-c', 'user.name=n', '-c', 'user.email=n@example', ...args], {
      encoding: 'utf8',
    }).trim()
  const place = async () => {
    const path = join(root, `repository-${count++}`)
    mkdirSync(path)
    return { path, account: undefined }
  }

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'gear-git-'))
    mkdirSync(join(root, 'allowed/source'), { recursive: true })
    inSource('init', '--quiet', '--initial-branch=main')
    writeFileSync(join(root, 'allowed/source/file'), 'text\n')
    inSource('add', '.')
    inSource('commit', '--quiet', '--message=first')
    inSource('branch', 'feature/one')
    inSource('tag', 'v1')
    commit = inSource('rev-parse', 'HEAD')
    execFileSync('/usr/bin/git', ['init', '--quiet', '--bare', join(root, 'outside')])
    symlinkSync(join(root, 'outside'), join(root, 'allowed/link'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  gitSuite(async () => ({
    git: processGit(join(root, 'allowed')),
    place,
    source: join(root, 'allowed/source'),
    commit,
    isFilled: async folder => readdirSync(folder).join() === 'file',
  }))

  test('a source outside of the root is refused, by its real path', async () => {
    const git = processGit(join(root, 'allowed'))
    for (const path of [join(root, 'outside'), join(root, 'allowed/link')]) {
      const lines = git.create(await place(), parseCloneSource(path))
      await expect(gather(lines)).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('not below') })
    }
  })

  test('what a repository is configured to run is not run', async () => {
    const git = processGit(join(root, 'allowed'))
    const at = await place()
    await gather(git.create(at, parseCloneSource(join(root, 'allowed/source'))))
    const owned = join(root, 'owned')
    writeFileSync(
      join(at.path, 'config'),
      `[core]\n\tbare = true\n\tfsmonitor = touch ${owned}\n[tar "tar.gz"]\n\tcommand = touch ${owned}\n`,
    )
    await gather(git.archive(at, { commit, format: 'tar.gz' }))
    expect(await git.commitOf(at, 'main' as GitRef)).toBe(commit)
    expect(() => execFileSync('/usr/bin/test', ['-e', owned])).toThrow()
  })
})
