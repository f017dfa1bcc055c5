import { describe, expect, it } from 'vitest'
import { ignoredPaths } from './ignore.ts'

/** Folders end with a slash. */
const tree: Readonly<Record<string, readonly string[]>> = {
  '': ['a.log', 'b.log', 'docs/', 'node_modules/', 'src/', 'x[1]'],
  docs: ['a.md', 'b.txt', 'deep/'],
  'docs/deep': ['c.md'],
  node_modules: ['x/'],
  src: ['main.ts', 'main.test.ts'],
}

const list = async (folder: string) => (tree[folder] ?? []).map(name => ({ name: name.replace('/', ''), isFolder: name.endsWith('/') }))

const bounds = { pathsMax: 100, looksMax: 10_000 }

describe('.s2iignore', () => {
  it.each<[string, readonly string[]]>([
    ['*.log', ['a.log', 'b.log']],
    ['*.log\n!a.log', ['b.log']],
    ['!a.log\n*.log', ['a.log', 'b.log']],
    ['node_modules', ['node_modules']],
    ['./node_modules/', ['node_modules']],
    ['/docs/*.md', ['docs/a.md']],
    ['docs/*/*.md', ['docs/deep/c.md']],
    ['src/main*.ts', ['src/main.ts', 'src/main.test.ts']],
    ['?.log', ['a.log', 'b.log']],
    ['[a]*.log', ['a.log']],
    ['[^a]*.log', ['b.log']],
    ['x*', ['x[1]']],
    ['# a.log\n\n  b.log  \r\n', ['b.log']],
    ['../*', []],
    ['docs/../a.log', []],
    ['[z-a]', []],
    ['****************************a****************************b', []],
    ['none/*', []],
  ])('%j', async (text, ignored) => {
    expect(await ignoredPaths(text, list, bounds)).toEqual(ignored)
  })

  it('has a bound', async () => {
    expect(await ignoredPaths('*', list, { ...bounds, pathsMax: 2 })).toHaveLength(2)
  })

  it('holds a long name against many stars without trying every way to share it out', async () => {
    const long = async () => [{ name: 'a'.repeat(255), isFolder: false }]
    expect(await ignoredPaths(`${'*a'.repeat(30)}*b`, long, bounds)).toEqual([])
    expect(await ignoredPaths('*a'.repeat(30), long, bounds)).toHaveLength(1)
    expect(await ignoredPaths('*a'.repeat(100_000), long, bounds)).toEqual([])
  })

  it('reads each folder once', async () => {
    const read: string[] = []
    const noting = (folder: string) => {
      read.push(folder)
      return list(folder)
    }
    await ignoredPaths('docs/*\n!docs/a.md\ndocs/b.txt', noting, bounds)
    expect(read).toEqual(['', 'docs'])
  })

  it('is refused when its patterns would take for ever with so many files', async () => {
    await expect(ignoredPaths('*/*/*\n'.repeat(100), list, { ...bounds, looksMax: 500 })).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
  })
})
