import { describe, expect, test } from 'vitest'
import * as rules from './rules.ts'
import { type SourceTree, sourceTree } from './source-tree.ts'
import { checkWeight } from './weight.ts'

type Rule = (tree: SourceTree) => readonly rules.Finding[]

function said(rule: Rule, texts: Readonly<Record<string, string>>): readonly string[] {
  return rule(sourceTree(texts)).map(({ path, message }) => `${path} ${message}`)
}

describe('floors', () => {
  test('an import of a lower floor through its door is fine, also of types and also between domains', () => {
    const texts = {
      'src/agent/agent.ts': "import { a } from '../domains/index.ts'\nimport type { B } from '../lib/index.ts'",
      'src/domains/index.ts': "export { a } from './shops/index.ts'",
      'src/domains/shops/index.ts': "export { a } from './shop.ts'\nexport { b } from '../goods/index.ts'",
      'src/main.ts': "await import('./cli/index.ts')",
    }
    expect(said(rules.checkFloors, texts)).toEqual([])
  })

  test('an import that goes up is found, whether of values, of types or at run time', () => {
    const up = 'imports src/agent/index.ts, which is not on a lower floor'
    for (const line of [
      "import { run } from '../agent/index.ts'",
      "import type { Run } from '../agent/index.ts'",
      "export * from '../agent/index.ts'",
      "import {\n  type Run,\n  run,\n} from '../agent/index.ts'",
      "const { run } = await import('../agent/index.ts')",
      "type Run = import('../agent/index.ts').Run",
    ]) {
      expect(said(rules.checkFloors, { 'src/host/host.ts': line })).toEqual([`src/host/host.ts ${up}`])
    }
  })

  test('a neighbour on the same floor is not below', () => {
    expect(said(rules.checkFloors, { 'src/host/host.ts': "import { call } from '../client/index.ts'" })).toEqual([
      'src/host/host.ts imports src/client/index.ts, which is not on a lower floor',
    ])
  })

  test('a domain is not entered by the window', () => {
    expect(said(rules.checkFloors, { 'src/domains/shops/shop.ts': "import { good } from '../goods/good.ts'" })).toEqual([
      'src/domains/shops/shop.ts imports src/domains/goods/good.ts, which is inside another folder: use src/domains/goods/index.ts',
    ])
  })

  test('an import out of src is found', () => {
    expect(said(rules.checkFloors, { 'src/lib/a.ts': "import { lab } from '../../test/lab.ts'" })).toEqual([
      'src/lib/a.ts imports test/lab.ts, which is not in src',
    ])
  })

  test('an import in a comment is none', () => {
    expect(
      said(rules.checkFloors, { 'src/lib/a.ts': "/*\nimport { a } from '../cli/index.ts'\n*/\n// import('../cli/index.ts')" }),
    ).toEqual([])
  })

  test('a folder that is on no floor is an error', () => {
    expect(() => said(rules.checkFloors, { 'src/attic/a.ts': "import { a } from '../lib/index.ts'" })).toThrow('src/attic is on no floor')
  })
})

test('a cycle is found, also one of types', () => {
  const texts = {
    'src/lib/a.ts': "import { b } from './b.ts'",
    'src/lib/b.ts': "import type { C } from './c.ts'",
    'src/lib/c.ts': "import { a } from './a.ts'",
    'src/lib/d.ts': "import { a } from './a.ts'",
  }
  expect(said(rules.checkCycles, texts)).toEqual(['src/lib/a.ts imports itself: src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts'])
})

describe('the outside', () => {
  test('files, processes, sockets and the environment are found outside of their places', () => {
    for (const [line, message] of [
      ["import { readFileSync } from 'node:fs'", "uses 'node:fs', which belongs to host/"],
      ["import { readFile } from 'node:fs/promises'", "uses 'node:fs/promises', which belongs to host/"],
      ["import { spawn } from 'child_process'", "uses 'child_process', which belongs to host/"],
      ["import { connect, isIP } from 'node:net'", "uses 'node:net', which belongs to host/"],
      ["process.getBuiltinModule('node:fs').readFileSync('x')", "uses 'node:fs', which belongs to host/"],
      ["const home = process.env['HOME']", 'reads process.env, which belongs to the composition roots'],
    ]) {
      expect(said(rules.checkOutside, { 'src/domains/shops/shop.ts': line ?? '' })).toEqual([`src/domains/shops/shop.ts ${message}`])
    }
  })

  test('they are fine in their places, in tests and in comments', () => {
    const line = "import { readFileSync } from 'node:fs'"
    const places = ['src/host/files/disk.ts', 'src/agent/config.ts', 'src/cli/context.ts', 'src/lib/a.test.ts', 'lab/images.ts']
    expect(said(rules.checkOutside, Object.fromEntries(places.map(path => [path, line])))).toEqual([])
    expect(said(rules.checkOutside, { 'src/lib/a.ts': "// not 'node:fs' and no process.env\nimport { isIP } from 'node:net'" })).toEqual([])
  })
})

describe('exports', () => {
  test('one that nobody imports is found, behind a door too', () => {
    const texts = {
      'src/lib/index.ts': "export { used, unused } from './a.ts'\nexport * from './b.ts'",
      'src/lib/a.ts': 'export function used() {}\nexport const unused = 1\nexport class Inner {}',
      'src/lib/b.ts': 'export async function far() {}\nexport const near = 1',
      'src/cli/index.ts': "import { far, used } from '../lib/index.ts'",
    }
    expect(said(rules.checkExports, texts)).toEqual([
      'src/lib/index.ts exports unused, which nobody imports',
      'src/lib/a.ts exports Inner, which nobody imports',
      'src/lib/b.ts exports near, which nobody imports',
    ])
  })

  test('whoever imports all of a file takes what it names of it', () => {
    const texts = {
      'src/api/a.ts': 'export const used = 1\nexport const unused = 2',
      'src/api/b.ts': 'export const handedOn = 1',
      'src/api/c.ts': "import * as a from './a.ts'\nimport * as b from './b.ts'\nObject.values(b)\na.used",
    }
    expect(said(rules.checkExports, texts)).toEqual(['src/api/a.ts exports unused, which nobody imports'])
  })

  test('a type may be there for what else the file exports', () => {
    const texts = {
      'src/lib/a.ts': 'export interface Options {}\nexport interface Lonely {}\nexport function run(options: Options) {}',
      'src/lib/a.test.ts': "import { run } from './a.ts'",
    }
    expect(said(rules.checkExports, texts)).toEqual(['src/lib/a.ts exports Lonely, which nobody imports'])
  })
})

test('a file that the program does not reach is found, but for tests and fakes', () => {
  const texts = {
    'src/main.ts': "await import('./cli/index.ts')",
    'src/cli/index.ts': "import type { A } from '../lib/index.ts'",
    'src/lib/index.ts': "export type { A } from './a.ts'",
    'src/lib/a.ts': 'export type A = string',
    'src/lib/b.ts': 'export const b = 1',
    'src/lib/b.test.ts': "import { b } from './b.ts'",
    'src/host/files/fake.ts': '',
    'src/host/files/files.suite.ts': '',
    'tools/tool.ts': '',
  }
  expect(said(rules.checkDeadFiles, texts)).toEqual(['src/lib/b.ts is not part of the program'])
})

test('a file opens with a paragraph', () => {
  const message = 'does not open with a paragraph on what it is for'
  const texts = {
    'src/lib/index.ts': '/** Small tools. */',
    'src/lib/a.ts': '/**\n * What it is for:\n * this.\n */',
    'src/lib/b.ts': "import { a } from './a.ts'\n/** Too late. */",
    'src/lib/c.ts': '/** */',
    'src/lib/c.test.ts': '',
    'src/cli/commands/start.ts': '',
  }
  expect(said(rules.checkParagraphs, texts)).toEqual([`src/lib/b.ts ${message}`, `src/lib/c.ts ${message}`])
})

test('what the door of api/ hands out has a comment', () => {
  const texts = {
    'src/api/index.ts': "export { bare, explained } from './a.ts'\nexport * from './b.ts'",
    'src/api/a.ts': '/** Explained. */\nexport const explained = 1\nexport const bare = 2\nexport const inner = 3',
    'src/api/b.ts': "export function bare() {}\nexport const call = operation({ summary: 'Calls' })\nexport type Name = string",
  }
  expect(said(rules.checkComments, texts)).toEqual([
    'src/api/a.ts exports bare without a comment',
    'src/api/b.ts exports bare without a comment',
  ])
})

test('what is left for later is found', () => {
  const word = ['TO', 'DO'].join('')
  expect(rules.checkLeftovers({ 'README.md': `a\n${word}: b`, 'lab/lab': 'todo list' })).toEqual([
    { path: 'README.md', message: `line 2 says ${word}` },
  ])
})

test('a helper that is long, or on no map, is found', () => {
  const texts = {
    'libexec/short': 'x\n'.repeat(79),
    'libexec/long': 'x\n'.repeat(80),
    'libexec/part.sh': 'x\n',
    'lab/long': 'x\n'.repeat(80),
    'ARCHITECTURE.md': '`short`, and `long` with `art.sh`',
  }
  expect(rules.checkHelpers(texts)).toEqual([
    { path: 'libexec/long', message: 'has 80 lines; a helper has fewer than 80' },
    { path: 'libexec/part.sh', message: 'is not in the table of helpers in ARCHITECTURE.md' },
  ])
})

describe('weight', () => {
  const imports = (...paths: readonly string[]) => ({ imports: paths.map(path => ({ path, kind: 'import-statement' })) })
  const weight = { entry: 'src/cli/index.ts', without: { 'node_modules/hono/': 'the command line serves nothing' } }

  test('a package that is loaded at once is found, with the way to it', () => {
    const inputs = {
      'src/cli/index.ts': imports('src/lib/index.ts'),
      'src/lib/index.ts': imports('node_modules/hono/hono.js'),
      'node_modules/hono/hono.js': imports(),
    }
    expect(checkWeight({ inputs }, weight)).toEqual([
      {
        path: 'src/cli/index.ts',
        message: 'loads node_modules/hono/hono.js, through src/lib/index.ts, but the command line serves nothing',
      },
    ])
  })

  test('a package that is loaded when it is needed is fine', () => {
    const inputs = {
      'src/cli/index.ts': { imports: [{ path: 'src/agent/index.ts', kind: 'dynamic-import' }] },
      'src/agent/index.ts': imports('node_modules/hono/hono.js'),
      'node_modules/hono/hono.js': imports(),
    }
    expect(checkWeight({ inputs }, weight)).toEqual([])
  })

  test('an entry that is not there has no weight to tell', () => {
    expect(checkWeight({ inputs: {} }, weight)).toEqual([{ path: 'src/cli/index.ts', message: 'is not part of the bundle' }])
  })
})
