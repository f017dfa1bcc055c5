/**
 * The sources as tidy sees them: each file with its text, what it imports and what it exports. Read from the text, types included (a bundler
 * knows nothing of those); the formatter keeps imports and exports in the few shapes that are read here.
 */
import { posix } from 'node:path'

export interface Import {
  /** As it is written. */
  readonly specifier: string
  /** The file, when it is one of ours. */
  readonly path: string | undefined
  /** `*` for all of them. */
  readonly names: readonly string[]
  /** Hands the names on: `export … from`. */
  readonly isReexport: boolean
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  /** The text without its comments. */
  readonly code: string
  readonly imports: readonly Import[]
  /** Declared here or handed on by name; what comes through `export *` is not among them. */
  readonly exports: readonly Export[]
}

export interface Export {
  readonly name: string
  readonly isType: boolean
}

export type SourceTree = ReadonlyMap<string, SourceFile>

export function sourceTree(texts: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(texts).map(([path, text]) => [path, sourceFile(path, text)]))
}

function sourceFile(path: string, text: string): SourceFile {
  const code = withoutComments(text)
  return { path, text, code, imports: importsOf(path, code), exports: exportsOf(code) }
}

/** Comments become spaces. A string that looks like one is left alone. */
function withoutComments(text: string): string {
  const stringsAndComments = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<![:/\\])\/\/[^\n]*/g
  return text.replaceAll(stringsAndComments, match => (/^\/[/*]/.test(match) ? match.replaceAll(/[^\n]/g, ' ') : match))
}

function importsOf(path: string, code: string): readonly Import[] {
  const found: Import[] = []
  const add = (specifier: string, names: readonly string[], isReexport: boolean): void => {
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
    found.push({ specifier, path: target, names, isReexport })
  }
  for (const [, keyword, clause = '', specifier = ''] of code.matchAll(
    /^(import|export)\s+(?:type\s+)?([^'"`;=()]*?)\s*\bfrom\s+'([^']+)'/gm,
  )) {
    add(specifier, keyword === 'import' ? taken(clause, code) : namesOf(clause), keyword === 'export')
  }
  for (const [, specifier = ''] of code.matchAll(/^import\s+'([^']+)'/gm)) add(specifier, [], false)
  for (const [, specifier = '', member] of code.matchAll(/\bimport\(\s*'([^']+)'\s*\)(?:\.(\w+))?/g)) {
    add(specifier, [member ?? '*'], false)
  }
  return found
}

/** Of `* as all` what the code takes by `all.name`, unless it hands on all of it. */
function taken(clause: string, code: string): readonly string[] {
  const [, all] = /\*\s+as\s+(\w+)/.exec(clause) ?? []
  if (all === undefined) return namesOf(clause)
  const uses = [...code.matchAll(new RegExp(`(?<!\\*\\s+as\\s+)(?<![\\w.])${all}\\b(?:\\.(\\w+))?`, 'g'))]
  return uses.every(([, member]) => member !== undefined) ? uses.flatMap(([, member]) => member ?? []) : ['*']
}

/** The names that a clause takes from the other file: `{ a, type b as c }`, `* as all`, `one`. */
function namesOf(clause: string): readonly string[] {
  if (clause.includes('*')) return ['*']
  const [, named] = /\{([^}]*)\}/.exec(clause) ?? []
  const single = /^\w+/.test(clause) ? ['default'] : []
  return [...single, ...itemsOf(named).map(item => item.split(/\s+as\s+/)[0] ?? item)]
}

function itemsOf(list = ''): readonly string[] {
  return list
    .split(',')
    .map(item => item.trim().replace(/^type\s+/, ''))
    .filter(item => item !== '')
}

function exportsOf(code: string): readonly Export[] {
  const declaration = /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(function\*?|class|const|let|interface|type|default)\s+(\w+)/gm
  const declared = [...code.matchAll(declaration)].map(([, kind = '', name = '']) => ({ name, isType: /^(interface|type)$/.test(kind) }))
  const lists = [...code.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)].flatMap(([, allTypes, list = '']) =>
    list
      .split(',')
      .filter(item => item.trim() !== '')
      .map(item => ({ name: item.trim().split(/\s+/).at(-1) ?? '', isType: allTypes !== undefined || /^\s*type\s/.test(item) })),
  )
  return [...declared, ...lists]
}
