/** The rules, one function each, from the sources to what is wrong with them. Pure, so that each is shown to be able to fail. */
import { posix } from 'node:path'
import type { Export, Import, SourceFile, SourceTree } from './source-tree.ts'

export interface Finding {
  readonly path: string
  readonly message: string
}

/** From the ground up; see ARCHITECTURE.md. A folder of a floor sees the floors below, not its neighbours. */
const floors: readonly (readonly string[])[] = [
  ['src/lib'],
  ['src/formats'],
  ['src/api'],
  ['src/client', 'src/host'],
  ['src/domains'],
  ['src/agent'],
  ['src/cli'],
]

/** Doors beside index.ts, by why they are apart. */
const sideDoors: Readonly<Record<string, string>> = {
  'src/api/openapi.ts': 'the command line does not load it',
  'src/api/deployment-file.ts': 'only deployments load it',
  'src/host/fakes.ts': 'only tests load it',
  'src/host/suites.ts': 'only tests load it',
}

/** Where what reaches outside of the process may be named. */
const outside = /^src\/(host\/|agent\/(config|listeners)\.ts|client\/transport\.ts|cli\/(context|copy\/disk)\.ts)/
const builtinsOutside = /['"](?:node:)?(?:child_process|fs|fs\/promises|net|tls|dgram|worker_threads|cluster)['"]/

const linesOfHelperMax = 80

const isTest = (path: string): boolean => path.endsWith('.test.ts') || !path.startsWith('src/')
/** What exists for tests, though it is no test. */
const isTestSupport = (path: string): boolean => /(^|\/)([\w-]+\.suite|suites|fakes?|fake-[\w-]+|faults|test-[\w-]+)\.ts$/.test(path)

/** 1. No import goes up, and a folder is entered by its door. */
export function checkFloors(tree: SourceTree): readonly Finding[] {
  return each(tree, file => {
    if (!file.path.startsWith('src/')) return []
    return ourImports(file).flatMap(({ path }) => {
      if (!path.startsWith('src/'))
        return path === 'package.json' && file.path === 'src/main.ts' ? [] : [`imports ${path}, which is not in src`]
      const [from, to] = [houseOf(file.path), houseOf(path)]
      if (from === to) return []
      if (!isTest(file.path) && floorOf(to) >= floorOf(from) && !isDownstairs(from, to)) {
        return [`imports ${path}, which is not on a lower floor`]
      }
      if (path === `${to}/index.ts` || (path in sideDoors && to === posix.dirname(path))) return []
      return [`imports ${path}, which is inside another folder: use ${to}/index.ts`]
    })
  })
}

/** The folder whose door others use: a floor, or one domain of that floor. */
function houseOf(path: string): string {
  const [, floor = '', next = ''] = path.split('/')
  if (path === 'src/main.ts') return 'src'
  return floor === 'domains' && next.includes('.') === false ? `src/domains/${next}` : `src/${floor}`
}

function floorOf(house: string): number {
  if (house === 'src') return floors.length
  const floor = floors.findIndex(houses => houses.some(name => house === name || house.startsWith(`${name}/`)))
  if (floor < 0) throw new Error(`${house} is on no floor: add it to the list in tools/tidy/rules.ts`)
  return floor
}

/** Domains are one floor, and use each other; its own door puts them together. */
function isDownstairs(from: string, to: string): boolean {
  return from.startsWith('src/domains') && to.startsWith('src/domains/')
}

/** 2. No cycles, whether of values or of types. */
export function checkCycles(tree: SourceTree): readonly Finding[] {
  const done = new Set<string>()
  const findings: Finding[] = []
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) findings.push({ path, message: `imports itself: ${[...way.slice(at), path].join(' → ')}` })
    const file = tree.get(path)
    if (at >= 0 || file === undefined || done.has(path)) return
    for (const next of new Set(ourImports(file).map(({ path: target }) => target))) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of tree.keys()) visit(path, [])
  return findings
}

/** 3. Processes, files, sockets and the environment are reached in few places. */
export function checkOutside(tree: SourceTree): readonly Finding[] {
  return each(tree, ({ path, code }) => {
    if (isTest(path) || isTestSupport(path) || outside.test(path)) return []
    // Whether a text is an address is no question to the outside.
    const text = code.replaceAll(/^import (?:type )?\{ (?:isIP|isIPv4|isIPv6|, |type \w+)+ \} from 'node:net'$/gm, '')
    const [builtin] = builtinsOutside.exec(text) ?? []
    return [
      ...(builtin === undefined ? [] : [`uses ${builtin}, which belongs to host/`]),
      ...(/\bprocess\.env\b/.test(text) ? ['reads process.env, which belongs to the composition roots'] : []),
    ]
  })
}

/** 4. What is exported is imported somewhere. A type may be exported because something else that is exported mentions it. */
export function checkExports(tree: SourceTree): readonly Finding[] {
  const used = new Set<string>()
  const use = (path: string, name: string): void => {
    const file = tree.get(path)
    if (file === undefined || used.has(`${path} ${name}`)) return
    used.add(`${path} ${name}`)
    for (const other of ourImports(file).filter(({ isReexport }) => isReexport)) {
      if (other.names.includes('*') || name === '*') use(other.path, name)
    }
  }
  for (const file of tree.values()) {
    for (const { path, names, isReexport } of ourImports(file)) {
      if (!(isReexport && names.includes('*'))) for (const name of names) use(path, name)
    }
  }
  return each(tree, ({ path, exports, code }) => {
    if (!path.startsWith('src/') || isTestSupport(path) || used.has(`${path} *`)) return []
    const isMentioned = ({ name, isType }: Export) =>
      isType && (path.endsWith('/index.ts') || code.split(new RegExp(`\\b${name}\\b`)).length > 2)
    return exports
      .filter(item => !used.has(`${path} ${item.name}`) && !isMentioned(item))
      .map(({ name }) => `exports ${name}, which nobody imports`)
  })
}

/** 5. What is in src is reached from the program, but for tests and what they need. */
export function checkDeadFiles(tree: SourceTree, program = 'src/main.ts'): readonly Finding[] {
  const reached = new Set<string>()
  const waiting = [program]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = tree.get(path)
    if (file === undefined || reached.has(path)) continue
    reached.add(path)
    waiting.push(...ourImports(file).map(other => other.path))
  }
  return each(tree, ({ path }) => (reached.has(path) || isTest(path) || isTestSupport(path) ? [] : ['is not part of the program']))
}

/** 6. A file opens with a paragraph on what it is for; a command does so with its summary. */
export function checkParagraphs(tree: SourceTree): readonly Finding[] {
  return each(tree, ({ path, text }) => {
    if (!/^(src|tools|lab|bench)\//.test(path) || path.endsWith('.test.ts') || path.startsWith('src/cli/commands/')) return []
    return /^(?:#!.*\n)?\/\*\*\s[^.:]*\w[^.:]*[.:]/.test(text) ? [] : ['does not open with a paragraph on what it is for']
  })
}

/** 7. What the door of api/ hands out has a comment. Operations carry a summary, types that stand for others are named after them. */
export function checkComments(tree: SourceTree): readonly Finding[] {
  const handedOut = namesBehind(tree, 'src/api/index.ts')
  return each(tree, ({ path, text }) =>
    [...text.matchAll(/^export\s+(?:async\s+)?(?:function|class|const|interface)\s+(\w+)(?!.* = operation\()/gm)]
      .filter(({ index, 1: name }) => handedOut.has(`${path} ${name}`) && !/\*\/\n$/.test(text.slice(0, index)))
      .map(([, name]) => `exports ${name} without a comment`),
  )
}

/** `path name` of everything that a door hands out. */
function namesBehind(tree: SourceTree, door: string): ReadonlySet<string> {
  const file = tree.get(door)
  if (file === undefined) return new Set()
  const handedOn = ourImports(file).filter(({ isReexport }) => isReexport)
  return new Set(
    handedOn.flatMap(({ path, names }) => {
      const all = names.includes('*') ? (tree.get(path)?.exports.map(({ name }) => name) ?? []) : names
      return all.map(name => `${path} ${name}`)
    }),
  )
}

/** 8. Nothing is left for later. */
export function checkLeftovers(texts: Readonly<Record<string, string>>): readonly Finding[] {
  return Object.entries(texts).flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => {
      const [word] = /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/.exec(line) ?? []
      return word === undefined ? [] : [{ path, message: `line ${index + 1} says ${word}` }]
    }),
  )
}

/** 9. A helper can be seen whole, and is on the map. */
export function checkHelpers(texts: Readonly<Record<string, string>>): readonly Finding[] {
  const map = texts['ARCHITECTURE.md'] ?? ''
  return Object.entries(texts).flatMap(([path, text]) => {
    if (!path.startsWith('libexec/')) return []
    const lines = text.split('\n').length - 1
    return [
      ...(lines >= linesOfHelperMax ? [{ path, message: `has ${lines} lines; a helper has fewer than ${linesOfHelperMax}` }] : []),
      ...(map.includes(`\`${posix.basename(path)}\``) ? [] : [{ path, message: 'is not in the table of helpers in ARCHITECTURE.md' }]),
    ]
  })
}

function each(tree: SourceTree, check: (file: SourceFile) => readonly string[]): readonly Finding[] {
  return [...tree.values()].flatMap(file => check(file).map(message => ({ path: file.path, message })))
}

function ourImports(file: SourceFile): readonly (Import & { readonly path: string })[] {
  return file.imports.flatMap(item => (item.path === undefined ? [] : [{ ...item, path: item.path }]))
}
