/**
 * Command lines in unit files (`ExecStart=` and the like): an argument list printed so that systemd hands on exactly these arguments,
 * and the way back. systemd first splits and unquotes (systemd.syntax(7)), then replaces `%` specifiers, then `$` variables
 * (systemd.service(5), COMMAND LINES); so `%` and `$` are doubled and the result is quoted. Only plain data is understood: a line that
 * uses specifiers, variables or a second command has no fixed arguments and is refused.
 */
import { FormatError, quoted } from './format-error.ts'
import { isLongerThan } from './text-rules.ts'

/** The kernel's limit for one argument, MAX_ARG_STRLEN, with its final NUL. */
export const argumentBytesMax = 128 * 1024 - 1

const lineBytesMax = 1024 * 1024

/** One argument of a command line. */
export function quoteArgument(text: string): string {
  if (isLongerThan(text, argumentBytesMax)) {
    throw new FormatError('unit-command.length', `an argument must not be longer than ${argumentBytesMax} bytes`)
  }
  if (/[\n\0]/.test(text)) throw new FormatError('unit-command.character', 'an argument must not hold a newline or NUL')
  if (!text.isWellFormed()) throw new FormatError('unit-command.character', 'an argument must be Unicode text, without lone surrogates')
  const literal = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  // What is safe without quotes stays readable; a word never begins with a character that means something to systemd.
  if (/^[A-Za-z0-9_./%$-][A-Za-z0-9_./%$:,=@+-]*$/.test(literal)) return literal
  return `"${literal.replaceAll(/["\\\p{Cc}]/gu, escapeCharacter)}"`
}

/** A whole command line. The program is a plain absolute path, since systemd reads prefixes such as `-` and `+` into it. */
export function printCommand(argv: readonly string[]): string {
  const [program = '', ...rest] = argv
  if (!/^\/[A-Za-z0-9_./+-]+$/.test(program)) {
    throw new FormatError('unit-command.program', `the program must be a plain absolute path, not ${quoted(program)}`, { input: program })
  }
  const line = [program, ...rest.map(quoteArgument)].join(' ')
  checkLine(line)
  return line
}

/** The arguments that systemd would make of a command line. */
export function splitCommand(line: string): readonly string[] {
  checkLine(line)
  const argv: string[] = []
  let at = skipSpace(line, 0)
  while (at < line.length) {
    const separator = /^(\\?);(?=[ \t]|$)/.exec(line.slice(at, at + 3))
    if (separator?.[1] === '') throw new FormatError('unit-command.separator', 'the line holds more than one command')
    const word = separator === null ? readWord(line, at) : { text: ';', end: at + 2 }
    argv.push(undouble(word.text))
    at = skipSpace(line, word.end)
  }
  return argv
}

interface Word {
  readonly text: string
  readonly end: number
}

/** One word, quotes removed and escapes replaced. As in a shell, a quoted part may stand anywhere in a word. */
function readWord(line: string, start: number): Word {
  // Escapes such as \xc3 name single bytes of UTF-8, so a word is gathered as bytes.
  const parts: Buffer[] = []
  let quote = ''
  let at = start
  while (at < line.length) {
    const character = line.charAt(at)
    if (character === '\\') {
      const escaped = readEscape(line, at)
      parts.push(escaped.bytes)
      at = escaped.end
      continue
    }
    if (quote === '' && isSpace(character)) break
    if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = ''
    else {
      const run = /[^\\"'\s]+|[\s\S]/y
      run.lastIndex = at
      const plain = run.exec(line)?.[0] ?? character
      parts.push(Buffer.from(plain))
      at += plain.length
      continue
    }
    at += 1
  }
  if (quote !== '') throw new FormatError('unit-command.quote', `a quote is not closed: ${quoted(line.slice(start))}`)
  return { text: decodeUtf8(Buffer.concat(parts)), end: at }
}

interface Escape {
  readonly bytes: Buffer
  readonly end: number
}

const letterEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

function readEscape(line: string, at: number): Escape {
  const letter = line.charAt(at + 1)
  const known = Object.hasOwn(letterEscapes, letter) ? letterEscapes[letter] : undefined
  if (known !== undefined) return { bytes: Buffer.from(known), end: at + 2 }
  const number = /\\(?:x(?<byte>[0-9a-fA-F]{2})|(?<octal>[0-3][0-7]{2})|u(?<short>[0-9a-fA-F]{4})|U(?<long>[0-9a-fA-F]{8}))/y
  number.lastIndex = at
  const match = number.exec(line)
  if (match === null) throw new FormatError('unit-command.escape', `unknown escape: ${quoted(line.slice(at, at + 4))}`)
  const { byte, octal, short, long } = match.groups ?? {}
  const end = at + match[0].length
  const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
  if (code === 0) throw new FormatError('unit-command.character', 'an argument must not hold NUL')
  if (byte !== undefined || octal !== undefined) return { bytes: Buffer.of(code), end }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new FormatError('unit-command.escape', `not a Unicode character: ${quoted(match[0])}`)
  }
  return { bytes: Buffer.from(String.fromCodePoint(code)), end }
}

function escapeCharacter(character: string): string {
  if (character === '\\' || character === '"') return `\\${character}`
  // A control character beyond ASCII takes two bytes, both of which are written.
  return [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/** `%%` and `$$` are one character each; anything else after them would be replaced at run time. */
function undouble(word: string): string {
  return word.replaceAll(/(%|\$)([\s\S]?)/g, (pair, sign: string, next: string) => {
    if (sign !== next) throw new FormatError('unit-command.expansion', `the line uses a specifier or a variable: ${quoted(pair)}`)
    return sign
  })
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FormatError('unit-command.character', 'an argument must be UTF-8')
  }
}

function checkLine(line: string): void {
  if (isLongerThan(line, lineBytesMax)) {
    throw new FormatError('unit-command.length', `a command line must not be longer than ${lineBytesMax} bytes`)
  }
  if (/[\n\r\0]/.test(line) || !line.isWellFormed()) {
    throw new FormatError('unit-command.character', 'a command line must be one line of Unicode text')
  }
}

function skipSpace(line: string, start: number): number {
  let at = start
  while (isSpace(line.charAt(at))) at += 1
  return at
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t'
}
