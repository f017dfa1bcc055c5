/**
 * systemd unit files as data: sections with ordered keys, where a key may come more than once. Printing refuses whatever systemd would
 * read differently from what was meant; parsing follows systemd.syntax(7) (comments, joined lines). Command lines inside values
 * are `unit-command.ts`. The `X-…` metadata of a container's unit has a reader of its own, which copes with any file.
 */
import { FormatError, quoted } from './format-error.ts'
import { type PortPair, readPort } from './ports.ts'
import { hasControlCharacter, isLongerThan, trimCharacters } from './text-rules.ts'

export type UnitEntry = readonly [key: string, value: string]

export interface UnitSection {
  readonly name: string
  readonly entries: readonly UnitEntry[]
}

export interface UnitFile {
  readonly sections: readonly UnitSection[]
}

/** systemd's own limit for a line (`LONG_LINE_MAX` in its `def.h`); ours for a whole file too. */
const unitFileBytesMax = 1024 * 1024

const space = ' \t'
const keyPattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/

export function printUnitFile(unit: UnitFile): string {
  const text = unit.sections.map(printSection).join('\n')
  if (isLongerThan(text, unitFileBytesMax)) {
    throw new FormatError('unit-file.length', `a unit file must not be longer than ${unitFileBytesMax} bytes`)
  }
  return text
}

/** Reads a whole unit file. A line that systemd would skip with a warning is an error here: what we wrote has none. */
export function parseUnitFile(text: string): UnitFile {
  checkReadable(text)
  const sections: { readonly name: string; readonly entries: UnitEntry[] }[] = []
  for (const { line, number } of joinedLines(text)) {
    if (line.startsWith('[')) {
      if (!line.endsWith(']') || line.length < 3) throw badLine(number, 'a section header must be [Name]', line)
      sections.push({ name: line.slice(1, -1), entries: [] })
      continue
    }
    const equals = line.indexOf('=')
    if (equals < 1) throw badLine(number, 'expected key=value', line)
    const section = sections.at(-1)
    if (section === undefined) throw badLine(number, 'an entry must stand in a section', line)
    section.entries.push([trimCharacters(line.slice(0, equals), space), trimCharacters(line.slice(equals + 1), space)])
  }
  return { sections }
}

/** All values of a key, in order, wherever its section occurs. */
export function unitValues(unit: UnitFile, sectionName: string, key: string): readonly string[] {
  return unit.sections
    .filter(section => section.name === sectionName)
    .flatMap(section => section.entries.filter(entry => entry[0] === key).map(entry => entry[1]))
}

/** Text in which systemd must not see specifiers: `%` is doubled. For values such as `Description=` that are not command lines. */
export function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%')
}

/**
 * The `X-…` keys of a unit file, as the original's tools read them: whatever starts a line counts, sections and joined lines do not
 * matter. So the metadata of a file that is otherwise broken can still be read.
 */
export function readUnitMetadata(text: string): ReadonlyMap<string, readonly string[]> {
  checkReadable(text)
  const metadata = new Map<string, string[]>()
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf('=')
    if (!line.startsWith('X-') || equals < 0) continue
    const key = line.slice(0, equals)
    const values = metadata.get(key) ?? []
    values.push(trimCharacters(line.slice(equals + 1), space))
    metadata.set(key, values)
  }
  return metadata
}

/** The port pairs of a unit file. One `X-PortMapping=` line may hold a list; what is not a pair is passed over. */
export function readUnitPortPairs(text: string): readonly PortPair[] {
  const lines = readUnitMetadata(text).get('X-PortMapping') ?? []
  return lines
    .flatMap(line => line.split(','))
    .flatMap(element => {
      const [internal, external, ...rest] = element.trim().split(':').map(readPort)
      return internal && external !== undefined && rest.length === 0 ? [{ internal, external }] : []
    })
}

function printSection(section: UnitSection): string {
  if (hasControlCharacter(section.name) || /[[\]]/.test(section.name) || section.name.trim() === '') {
    throw new FormatError('unit-file.section', `a section name must be plain text without brackets, not ${quoted(section.name)}`)
  }
  return `[${section.name}]\n${section.entries.map(entry => `${printEntry(entry)}\n`).join('')}`
}

function printEntry([key, value]: UnitEntry): string {
  if (!keyPattern.test(key)) {
    throw new FormatError('unit-file.key', `a key must be letters, digits and dashes, not ${quoted(key)}`)
  }
  if (hasControlCharacter(value) || !value.isWellFormed()) {
    throw new FormatError('unit-file.value', `the value of ${key} must be one line of text without control characters`)
  }
  if (value !== trimCharacters(value, space)) {
    throw new FormatError('unit-file.value', `the value of ${key} must not begin or end with a space, which systemd would drop`)
  }
  if (endsInContinuation(value)) {
    throw new FormatError('unit-file.value', `the value of ${key} must not end in a backslash, which would join the next line to it`)
  }
  return `${key}=${value}`
}

interface JoinedLine {
  readonly line: string
  /** The number of the line it began on. */
  readonly number: number
}

/** Lines without comments and outer spaces; a line ending in a backslash continues in the next one that is not a comment. */
function joinedLines(text: string): readonly JoinedLine[] {
  const lines: JoinedLine[] = []
  let parts: string[] = []
  let number = 1
  for (const [index, raw] of [...text.split(/\r\n|\n|\r/), ''].entries()) {
    if (/^[ \t]*[#;]/.test(raw)) continue
    if (parts.length === 0) number = index + 1
    if (endsInContinuation(raw)) {
      parts.push(raw.slice(0, -1))
      continue
    }
    parts.push(raw)
    const line = trimCharacters(parts.join(' '), space)
    if (line !== '') lines.push({ line, number })
    parts = []
  }
  return lines
}

/** An odd number of backslashes at the end: the last one is not escaped by the one before it. */
function endsInContinuation(line: string): boolean {
  let end = line.length
  while (line.charAt(end - 1) === '\\') end -= 1
  return (line.length - end) % 2 === 1
}

function checkReadable(text: string): void {
  if (isLongerThan(text, unitFileBytesMax)) {
    throw new FormatError('unit-file.length', `a unit file must not be longer than ${unitFileBytesMax} bytes`)
  }
  if (text.includes('\0')) throw new FormatError('unit-file.nul', 'a unit file must not hold NUL characters')
}

function badLine(number: number, message: string, line: string): FormatError {
  return new FormatError('unit-file.line', `${message}: ${quoted(line)}`, { path: `line ${number}`, input: line })
}
