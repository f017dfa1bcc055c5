/**
 * Reading JSON the way the original's server does and no looser than is safe: only the first value of a text counts, as with
 * Go's streaming decoder, and what a later reader could understand in two ways (a key given twice, half a surrogate pair) is
 * refused. Keys match their field in any case. What the fields mean is not decided here.
 */
import { FormatError, quoted } from './format-error.ts'

export interface JsonLimits {
  /** How many objects and arrays may be open at once. */
  readonly depthMax?: number
  /** How many UTF-16 units the text may have. */
  readonly lengthMax?: number
}

const depthMaxDefault = 32
const lengthMaxDefault = 1024 * 1024
const pathKeyCharactersMax = 64

/**
 * The first JSON value of a text; what follows it is ignored. `undefined` if there is nothing but white space.
 * Messages name keys and positions, never values.
 */
export function parseFirstJson(text: string, limits: JsonLimits = {}): unknown {
  const { depthMax = depthMaxDefault, lengthMax = lengthMaxDefault } = limits
  if (text.length > lengthMax) {
    throw new FormatError('json.length', `JSON text must not be longer than ${lengthMax} characters`)
  }
  const start = skipSpace(text, 0)
  if (start === text.length) return undefined
  return JSON.parse(text.slice(start, endOfValue(text, start, depthMax)))
}

/**
 * An object's fields under their proper names. A key spelt exactly like the name is preferred, otherwise one that differs in
 * case only (the last of several). Unknown keys are dropped, and `null` counts as absent.
 */
export function foldKeys<Name extends string>(value: unknown, names: readonly Name[]): { readonly [name in Name]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError('json.object', 'expected a JSON object')
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value)
  const exact = new Map(entries)
  const folded = new Map(entries.map(([key, field]) => [key.toLowerCase(), field]))
  const found: { [name in Name]?: unknown } = {}
  for (const name of names) {
    const field = exact.has(name) ? exact.get(name) : folded.get(name.toLowerCase())
    if (field !== undefined && field !== null) found[name] = field
  }
  return found
}

interface Container {
  readonly kind: 'object' | 'array'
  readonly keys: Set<string>
  key: string
  index: number
}

/** Where the value ends that begins at `start`. Keeps its own stack, so that no text can exhaust the engine's. */
function endOfValue(text: string, start: number, depthMax: number): number {
  const open: Container[] = []
  let at = start
  for (;;) {
    const container = opensContainer(text[at])
    if (container === undefined) {
      at = endOfScalar(text, at, open)
    } else {
      if (open.length >= depthMax) {
        throw new FormatError('json.depth', `JSON must not be nested more than ${depthMax} deep`, where(open))
      }
      at = skipSpace(text, at + 1)
      if (text[at] !== closer(container)) {
        open.push(container)
        at = container.kind === 'object' ? endOfKey(text, at, open) : at
        continue
      }
      at += 1
    }
    const next = nextValue(text, at, open)
    if (open.length === 0) return next
    at = next
  }
}

/** After a value: closes what ends here and goes to where the next value begins, or to the end of the outermost one. */
function nextValue(text: string, end: number, open: Container[]): number {
  let at = end
  for (let container = open.at(-1); container !== undefined; container = open.at(-1)) {
    at = skipSpace(text, at)
    if (text[at] === ',') {
      at = skipSpace(text, at + 1)
      if (container.kind === 'object') return endOfKey(text, at, open)
      container.index += 1
      return at
    }
    if (text[at] !== closer(container)) throw unexpected(text, at, `"," or "${closer(container)}"`, open)
    open.pop()
    at += 1
  }
  return at
}

/** Reads a key and its colon, and goes to where its value begins. */
function endOfKey(text: string, at: number, open: readonly Container[]): number {
  const container = open.at(-1)
  if (container === undefined || text[at] !== '"') throw unexpected(text, at, 'a key in double quotes', open.slice(0, -1))
  const end = endOfString(text, at, open.slice(0, -1))
  const key: string = JSON.parse(text.slice(at, end))
  container.key = key
  if (container.keys.has(key)) throw new FormatError('json.duplicate-key', 'the key is given twice in one object', where(open))
  if (key === '__proto__') throw new FormatError('json.key', 'the key is not allowed', where(open))
  container.keys.add(key)
  const colon = skipSpace(text, end)
  if (text[colon] !== ':') throw unexpected(text, colon, '":"', open)
  return skipSpace(text, colon + 1)
}

function endOfScalar(text: string, at: number, open: readonly Container[]): number {
  if (text[at] === '"') return endOfString(text, at, open)
  const word = ['true', 'false', 'null'].find(candidate => text.startsWith(candidate, at))
  if (word !== undefined) return at + word.length
  const number = matchAt(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y, text, at)
  if (number === undefined) throw unexpected(text, at, 'a value', open)
  const end = at + number.length
  if (/^[.eE]/.test(text.slice(end, end + 1))) throw unexpected(text, end, 'a whole number, fraction or exponent', open)
  if (!Number.isFinite(Number(number))) throw new FormatError('json.number', 'the number is out of range', where(open))
  return end
}

function endOfString(text: string, start: number, open: readonly Container[]): number {
  let at = start + 1
  let hasEscape = false
  while (text[at] !== '"') {
    if (text[at] === '\\') {
      const escaped = matchAt(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y, text, at)
      if (escaped === undefined) throw unexpected(text, at + 1, 'an escape that JSON knows', open)
      hasEscape = true
      at += escaped.length
    } else {
      if (!(text.charCodeAt(at) >= 0x20)) throw unexpected(text, at, 'the end of a string (control characters must be escaped)', open)
      at += 1
    }
  }
  const end = at + 1
  const written = text.slice(start, end)
  const value: string = hasEscape ? JSON.parse(written) : written
  if (!value.isWellFormed()) throw new FormatError('json.surrogate', 'the string holds a lone surrogate', where(open))
  return end
}

function matchAt(sticky: RegExp, text: string, at: number): string | undefined {
  sticky.lastIndex = at
  return sticky.exec(text)?.[0]
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at += 1
  return at
}

function opensContainer(character: string | undefined): Container | undefined {
  if (character === '{') return { kind: 'object', keys: new Set(), key: '', index: 0 }
  if (character === '[') return { kind: 'array', keys: new Set(), key: '', index: 0 }
  return undefined
}

function closer(container: Container): string {
  return container.kind === 'object' ? '}' : ']'
}

function unexpected(text: string, at: number, wanted: string, open: readonly Container[]): FormatError {
  if (at >= text.length) return new FormatError('json.truncated', `the JSON text ends too early: expected ${wanted}`, where(open))
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  return new FormatError('json.syntax', `not JSON: expected ${wanted} at line ${line}, column ${column}`, where(open))
}

function where(open: readonly Container[]): { readonly path?: string } {
  if (open.length === 0) return {}
  return { path: open.reduce((path, container) => path + step(container, path === ''), '') }
}

function step(container: Container, isFirst: boolean): string {
  if (container.kind === 'array') return `[${container.index}]`
  if (!/^\w+$/.test(container.key) || container.key.length > pathKeyCharactersMax) return `[${quoted(container.key)}]`
  return isFirst ? container.key : `.${container.key}`
}
