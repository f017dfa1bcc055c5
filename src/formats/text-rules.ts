/** What texts of every kind must keep to before their own grammar is looked at: a length, real characters, no control characters. */
import { FormatError, quoted } from './format-error.ts'

export interface TextRules {
  /** The stable key of the error. */
  readonly rule: string
  /** What the text is, as the subject of a sentence: `a volume path`. */
  readonly subject: string
  readonly bytesMax: number
}

/** Refuses texts that are too long, hold half a character (a lone surrogate), or hold control characters. */
export function requireLine(text: string, rules: TextRules): void {
  requireText(text, rules)
  if (hasControlCharacter(text)) {
    throw new FormatError(rules.rule, `${rules.subject} must not hold control characters: ${quoted(text)}`, { input: text })
  }
}

/** Refuses texts that are too long or hold half a character. Does not show the text, which may be a secret. */
export function requireText(text: string, { rule, subject, bytesMax }: TextRules): void {
  if (isLongerThan(text, bytesMax)) {
    throw new FormatError(rule, `${subject} must not be longer than ${bytesMax} bytes`)
  }
  if (!text.isWellFormed()) {
    throw new FormatError(rule, `${subject} must be Unicode text, without lone surrogates`)
  }
}

export function isLongerThan(text: string, bytesMax: number): boolean {
  // A UTF-16 unit is at least one byte of UTF-8, so that huge texts are not measured to the end.
  return text.length > bytesMax || Buffer.byteLength(text) > bytesMax
}

/** C0, DEL and C1. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

/** The text without the given characters at both ends. In one pass, which a regular expression does not promise for long runs of them. */
export function trimCharacters(text: string, characters: string): string {
  let start = 0
  let end = text.length
  while (start < end && characters.includes(text.charAt(start))) start += 1
  while (start < end && characters.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}
