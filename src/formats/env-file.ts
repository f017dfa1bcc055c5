/**
 * `NAME=VALUE` variables: as arguments and files that people write (with the original's rules for quotes), and as the file that is
 * stored for a container (raw, one line each, which is what the engine's `--env-file` reads). Values may be secrets: no message
 * shows one.
 */
import { FormatError } from './format-error.ts'
import { unquoteGoLiteral } from './go-literal.ts'
import { isLongerThan, requireText, trimCharacters } from './text-rules.ts'

export interface EnvironmentVariable {
  readonly name: string
  readonly value: string
}

export interface SkippedLine {
  readonly line: number
  readonly reason: string
}

export interface EnvironmentFile {
  readonly variables: readonly EnvironmentVariable[]
  /** Lines that hold something but no variable, for a warning. Blank lines and comments are not among them. */
  readonly skipped: readonly SkippedLine[]
}

export const variableNameBytesMax = 1024
export const variableValueBytesMax = 8192
const environmentFileBytesMax = 1024 * 1024

/** What Go's `strings.TrimSpace` drops, which is not quite what JavaScript trims. */
const goSpace =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'

/** Reads one command line argument. Without `=` it is no variable: undefined. */
export function parseVariable(text: string): EnvironmentVariable | undefined {
  const parts = splitOnce(text)
  if (parts === undefined) return undefined
  const name = parts.name.replace(/^[ \t]+/, '')
  if (/[ \t]/.test(name)) throw new FormatError('environment.name', 'the name of a variable must not hold spaces')
  checkLengths(text)
  const variable = { name, value: trimCharacters(unquote(name, parts.value), goSpace) }
  checkVariable(variable)
  return variable
}

/**
 * Reads a file that somebody wrote. Of several lines for one name the last counts; the order is that of first appearance. Lines
 * whose name holds a space (comments, `export A=B`) are skipped; a variable that could not be stored faithfully is an error.
 */
export function parseEnvironmentFile(text: string): EnvironmentFile {
  checkFile(text)
  const variables: EnvironmentVariable[] = []
  const skipped: SkippedLine[] = []
  for (const [index, line] of fileLines(text).entries()) {
    const name = splitOnce(line)?.name.replace(/^[ \t]+/, '')
    const isQuiet = /^\s*(?:#.*)?$/.test(line)
    if (name !== undefined && !/[ \t]/.test(name)) {
      const variable = atLine(index + 1, () => parseVariable(line))
      if (variable !== undefined) variables.push(variable)
    } else if (!isQuiet) {
      skipped.push({ line: index + 1, reason: name === undefined ? 'it has no "="' : 'the name holds a space' })
    }
  }
  return { variables: latestVariables(variables), skipped }
}

/** The stored form: one raw line per variable. */
export function printEnvironment(variables: readonly EnvironmentVariable[]): string {
  for (const variable of variables) checkVariable(variable)
  return variables.map(({ name, value }) => `${name}=${value}\n`).join('')
}

/** Reads the stored form: every line as it is, in its order, repeated names included. */
export function parseStoredEnvironment(text: string): readonly EnvironmentVariable[] {
  checkFile(text)
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return []
    return atLine(index + 1, () => {
      const variable = splitOnce(line)
      if (variable === undefined) throw new FormatError('environment.line', 'a stored variable must be NAME=VALUE')
      checkVariable(variable)
      return [variable]
    })
  })
}

/** One variable per name: the last value, at the place of the first. */
export function latestVariables(variables: readonly EnvironmentVariable[]): readonly EnvironmentVariable[] {
  const values = new Map<string, string>()
  for (const { name, value } of variables) values.set(name, value)
  return [...values].map(([name, value]) => ({ name, value }))
}

/** What must hold for a variable to be stored and read back as it is, wherever it comes from. */
function checkVariable({ name, value }: EnvironmentVariable): void {
  requireText(name, { rule: 'environment.name', subject: 'the name of a variable', bytesMax: variableNameBytesMax })
  if (trimCharacters(name, goSpace) === '') throw new FormatError('environment.name', 'the name of a variable must not be blank')
  if (/[=\s\0\u0085]/u.test(name)) {
    throw new FormatError('environment.name', 'the name of a variable must not hold "=", white space or NUL')
  }
  requireText(value, { rule: 'environment.value', subject: `the value of ${named(name)}`, bytesMax: variableValueBytesMax })
  if (/[\n\r\0]/.test(value)) {
    throw new FormatError('environment.value', `the value of ${named(name)} must not hold a line break or NUL: it is stored as one line`)
  }
}

function splitOnce(text: string): EnvironmentVariable | undefined {
  const equals = text.indexOf('=')
  return equals < 0 ? undefined : { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

function unquote(name: string, value: string): string {
  const bytes = unquoteGoLiteral(value)
  if (bytes === undefined) return value
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FormatError('environment.value', `the value of ${named(name)} must be UTF-8 text`)
  }
}

/** Before any work on it: escapes may make a value shorter by a factor of ten at most (`\U0000000a`). */
function checkLengths(text: string): void {
  if (text.length > 16 * (variableNameBytesMax + variableValueBytesMax)) {
    throw new FormatError(
      'environment.length',
      `a variable is too long: at most ${variableNameBytesMax} bytes of name and ${variableValueBytesMax} of value`,
    )
  }
  if (!text.isWellFormed()) throw new FormatError('environment.text', 'a variable must be Unicode text, without lone surrogates')
}

function checkFile(text: string): void {
  if (isLongerThan(text, environmentFileBytesMax)) {
    throw new FormatError('environment.file', `an environment file must not be longer than ${environmentFileBytesMax} bytes`)
  }
}

/** Some editors put a byte order mark in front, which is no part of the first name. */
function fileLines(text: string): readonly string[] {
  return text.replace(/^\ufeff/, '').split(/\r?\n/)
}

function atLine<Result>(line: number, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(error.rule, error.message, { path: `line ${line}` })
    throw error
  }
}

/** A name is shown only when it looks like one: what somebody pasted before an "=" may be part of a key. */
function named(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name) ? name : 'a variable'
}
