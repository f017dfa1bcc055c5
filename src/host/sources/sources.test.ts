/** Cloning with the real git, from repositories made here. Nothing leaves the machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOfFailure } from '../suites.ts'
import { gitSources, gitVariables } from './git.ts'

let base = ''
let count = 0
const identity = { GIT_AUTHOR_NAME: 'x', GIT_AUTHOR_EMAIL: 'x@example.com', GIT_COMMITTER_NAME: 'x', GIT_COMMITTER_EMAIL: 'x@example.com' }

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', base, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null', ...identity },
  }).trim()
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'gear-sources-'))
  git('init', '-q', '-b', 'main', 'origin')
  for (const [text, ...then] of [
    ['one', 'tag', 'v1'],
    ['two', 'branch', 'other'],
    ['three', 'status'],
  ] as const) {
    writeFileSync(join(base, 'origin/file'), text)
    git('-C', 'origin', 'add', '.')
    git('-C', 'origin', 'commit', '-qm', text)
    git('-C', 'origin', ...then)
  }
})
afterAll(() => rmSync(base, { recursive: true }))

async function clone(
  ref?: string,
  more: { readonly address?: string; readonly mayReadFiles?: boolean; readonly signal?: AbortSignal } = {},
) {
  const into = join(base, `clone-${++count}`)
  const commit = await gitSources().clone({
    address: `file://${base}/origin`,
    into,
    mayReadFiles: true,
    signal: new AbortController().signal,
    say: () => undefined,
    ...(ref === undefined ? {} : { ref }),
    ...more,
  })
  return { commit, text: readFileSync(join(into, 'file'), 'utf8'), into }
}

describe('a clone', () => {
  test('has the newest state of the repository, and tells its commit', async () => {
    expect(await clone()).toMatchObject({ text: 'three', commit: git('-C', 'origin', 'rev-parse', 'main') })
  })

  test.each([
    ['v1', 'one'],
    ['other', 'two'],
  ])('has the state of the ref %s', async (ref, text) => {
    expect((await clone(ref)).text).toBe(text)
  })

  test('has the state of a commit, whole or abbreviated', async () => {
    const commit = git('-C', 'origin', 'rev-parse', 'v1')
    expect(await clone(commit)).toMatchObject({ text: 'one', commit })
    expect(await clone(commit.slice(0, 10))).toMatchObject({ text: 'one', commit })
  })

  test('of a ref or a repository that is not there says what git said', async () => {
    await expect(clone('nowhere')).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: { message: expect.stringContaining('nowhere') } })
    expect(await codeOfFailure(clone(undefined, { address: `file://${base}/none` }))).toBe('SOURCE_FAILED')
  })

  test('is not made of files when that is not allowed, nor of commands ever', async () => {
    await expect(clone(undefined, { mayReadFiles: false })).rejects.toMatchObject({
      cause: { message: expect.stringContaining("'file' not allowed") },
    })
    const address = `ext::sh -c touch% ${base}/owned`
    await expect(clone(undefined, { address })).rejects.toMatchObject({ cause: { message: expect.stringContaining("'ext' not allowed") } })
    expect(existsSync(join(base, 'owned'))).toBe(false)
  })

  test('executes no hook of a template', async () => {
    const { into } = await clone()
    expect(existsSync(join(into, '.git/hooks'))).toBe(false)
  })

  test('takes no submodule from the files of this host', async () => {
    git('init', '-q', '-b', 'main', 'outer')
    writeFileSync(join(base, 'outer/file'), 'x')
    git('-c', 'protocol.file.allow=always', '-C', 'outer', 'submodule', '--quiet', 'add', `${base}/origin`, 'inner')
    git('-C', 'outer', 'add', '.')
    git('-C', 'outer', 'commit', '-qm', 'x')
    await expect(clone(undefined, { address: `file://${base}/outer` })).rejects.toMatchObject({
      cause: { message: expect.stringContaining("'file' not allowed") },
    })
  })

  test('is ended by an abort', async () => {
    await expect(clone(undefined, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
})

test('git sees no settings of the host and asks nobody', () => {
  mkdirSync(join(base, 'home'), { recursive: true })
  const variables = gitVariables(false)
  expect(variables).toMatchObject({ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' })
  const names = Object.values(variables)
  expect(names).toEqual(expect.arrayContaining(['protocol.file.allow', 'never', 'core.hooksPath', '/dev/null']))
})
