/**
 * The one error that every parser and printer of this folder throws. It says in plain words what was expected; `rule` is a
 * short stable key for programs and tests. Parsers of text that may hold secrets (environments) never put a value into it.
 */

const excerptCharactersMax = 80

export interface FormatErrorDetails {
  /** The refused text, shortened and with control characters replaced. Left out where the text may be a secret. */
  readonly input?: string
  /** Where in a larger text the trouble is: a JSON path such as `Ports[0].Internal`, or `line 3`. */
  readonly path?: string
}

export class FormatError extends Error {
  override readonly name = 'FormatError'
  readonly rule: string
  readonly input: string | undefined
  readonly path: string | undefined

  constructor(rule: string, message: string, details: FormatErrorDetails = {}) {
    super(details.path === undefined ? message : `${details.path}: ${message}`)
    this.rule = rule
    this.input = details.input === undefined ? undefined : excerpt(details.input)
    this.path = details.path
  }
}

/** A text as it may be shown in a message: short, on one line, in quotes. */
export function quoted(text: string): string {
  return `"${excerpt(text)}"`
}

function excerpt(text: string): string {
  const shown = text
    .slice(0, excerptCharactersMax)
    .toWellFormed()
    .replace(/\p{Cc}/gu, '?')
  return text.length > excerptCharactersMax ? `${shown}…` : shown
}
