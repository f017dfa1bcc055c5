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
    expect(await ignoredPaths(text, list, 100)).toEqual(ignored)
  })

  it('has a bound', async () => {
    expect(await ignoredPaths('*', list, 2)).toHaveLength(2)
  })
})
