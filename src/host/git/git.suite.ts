/** What git means, wherever repositories are. */
import { expect, test } from 'vitest'
import type { GitRef } from '../../api/index.ts'
import { type CloneSource, parseCloneSource } from '../../formats/index.ts'
import { codeOfFailure } from '../suites.ts'
import type { CloneRequest, Git, RepositoryPlace } from './port.ts'

export interface GitBench {
  readonly git: Git
  /** Whether something is in a folder. */
  readonly isFilled: (folder: string) => Promise<boolean>
  /** An empty folder for a new repository. */
  readonly place: () => Promise<RepositoryPlace>
  /** A path below the root with the branches `main` and `feature/one` and the tag `v1`, all one commit with one file `file`. */
  readonly source: string
  readonly commit: string
}

export function gitSuite(make: () => Promise<GitBench>): void {
  async function cloned(): Promise<GitBench & { readonly at: RepositoryPlace }> {
    const bench = await make()
    const at = await bench.place()
    await gather(bench.git.create(at, parseCloneSource(bench.source)))
    return { ...bench, at }
  }

  test('a new repository has no commits', async () => {
    const { git, place } = await make()
    const at = await place()
    await gather(git.create(at, undefined))
    expect(await git.commitOf(at, 'main' as GitRef)).toBeUndefined()
  })

  test('a clone has the branches, the tags and the commits of its source', async () => {
    const { git, at, commit } = await cloned()
    for (const ref of ['main', 'feature/one', 'v1', commit]) expect(await git.commitOf(at, ref as GitRef), ref).toBe(commit)
    expect(await git.commitOf(at, 'feature' as GitRef)).toBeUndefined()
  })

  test('a clone of nothing fails and says why', async () => {
    const { git, place, source } = await make()
    const missing: CloneSource = parseCloneSource(`${source}-missing`)
    await expect(gather(git.create(await place(), missing))).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  })

  test('an archive is a zip or a compressed tar', async () => {
    const { git, at, commit } = await cloned()
    expect(await firstBytes(git.archive(at, { commit, format: 'zip' }))).toEqual([0x50, 0x4b])
    expect(await firstBytes(git.archive(at, { commit, format: 'tar.gz' }))).toEqual([0x1f, 0x8b])
  })

  test('the files of a commit are written into a folder', async () => {
    const { git, at, commit, place, isFilled } = await cloned()
    const { path: folder } = await place()
    await git.checkOut(at, { commit, folder })
    expect(await isFilled(folder)).toBe(true)
  })

  test('a folder that is no repository is an error and not an unknown ref', async () => {
    const { git, place } = await make()
    await expect(git.commitOf(await place(), 'main' as GitRef)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  })

  async function workingCopy(
    bench: GitBench,
    more: Partial<CloneRequest> = {},
  ): Promise<{ readonly commit: string; readonly into: string }> {
    const into = `${(await bench.place()).path}/copy`
    const request = {
      address: `file://${bench.source}`,
      into,
      mayReadFiles: true,
      mayReachHost: true,
      signal: new AbortController().signal,
      say: () => undefined,
    }
    return { commit: await bench.git.clone({ ...request, ...more }), into }
  }

  test('a working copy has the files of the newest commit, of a branch, of a tag, or of a commit', async () => {
    const bench = await make()
    const { commit } = bench
    for (const ref of [undefined, 'main', 'feature/one', 'v1', commit, commit.slice(0, 10)]) {
      const copy = await workingCopy(bench, ref === undefined ? {} : { ref })
      expect(copy.commit, ref).toBe(commit)
      expect(await bench.isFilled(copy.into), ref).toBe(true)
    }
  })

  test('a working copy of a ref or a repository that is not there is none', async () => {
    const bench = await make()
    expect(await codeOfFailure(workingCopy(bench, { ref: 'nowhere' }))).toBe('SOURCE_FAILED')
    expect(await codeOfFailure(workingCopy(bench, { address: `file://${bench.source}-missing` }))).toBe('SOURCE_FAILED')
  })

  test('a working copy is not made of files when that is not allowed', async () => {
    expect(await codeOfFailure(workingCopy(await make(), { mayReadFiles: false }))).toBe('SOURCE_FAILED')
  })

  test('a working copy is ended by an abort', async () => {
    await expect(workingCopy(await make(), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
}

async function firstBytes(pieces: AsyncIterable<Uint8Array>): Promise<readonly number[]> {
  return [...Buffer.concat(await gather(pieces)).subarray(0, 2)]
}

/** All that comes. */
export async function gather<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
