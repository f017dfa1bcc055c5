/**
 * YAML 1.2 as far as it says what JSON could say: one document, keys that are texts, no tags, each key once. Aliases are followed, but
 * only so many: a few lines could otherwise stand for millions of values. The library is loaded when there is YAML to read.
 */
import { FormatError } from './format-error.ts'

export interface YamlLimits {
  /** How many UTF-16 units the text may have. */
  readonly lengthMax: number
}

/** How much may come through aliases, as the library counts it: the aliases of an alias count for each use. */
const aliasesMax = 100

/** The value of a YAML text; `null` when it says nothing. Messages name line and column. */
export async function parseYaml(text: string, { lengthMax }: YamlLimits): Promise<unknown> {
  if (text.length > lengthMax) throw new FormatError('yaml.length', `YAML text must not be longer than ${lengthMax} characters`)
  const { parseDocument } = await import('yaml')
  try {
    // Tags are not resolved, so that none can make anything but texts; each leaves a warning, which is an error here.
    const document = parseDocument(text, { version: '1.2', schema: 'core', customTags: [], resolveKnownTags: false, stringKeys: true })
    const [trouble] = [...document.errors, ...document.warnings]
    if (trouble !== undefined) throw refused(trouble)
    return document.toJS({ maxAliasCount: aliasesMax })
  } catch (error) {
    if (error instanceof FormatError) throw error
    // The library answers with a ReferenceError to too many aliases, and the engine with a RangeError to nesting without end.
    const isAliases = error instanceof ReferenceError
    if (!isAliases && !(error instanceof RangeError)) throw error
    throw new FormatError(isAliases ? 'yaml.aliases' : 'yaml.depth', isAliases ? 'its aliases stand for too much' : 'it is nested too deep')
  }
}

interface Trouble {
  readonly code: string
  readonly message: string
  readonly linePos?: readonly { readonly line: number; readonly col: number }[] | undefined
}

const wordsOfCodes: Readonly<Record<string, string>> = {
  TAG_RESOLVE_FAILED: 'tags are not allowed',
  DUPLICATE_KEY: 'the key is given twice in one mapping',
  MULTIPLE_DOCS: 'there must be one document',
  NON_STRING_KEY: 'keys must be texts',
}

/** The library quotes the lines in its messages; which line it is says enough, and the quote could be a secret. */
function refused({ code, message, linePos }: Trouble): FormatError {
  const [start] = linePos ?? []
  const place = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`
  // The library catches what the engine says to nesting without end.
  if (message.startsWith('Maximum call stack')) return new FormatError('yaml.depth', 'it is nested too deep')
  const words = wordsOfCodes[code] ?? (message.split('\n')[0] ?? '').replace(/ at line \d+.*$/, '')
  return new FormatError(`yaml.${code.toLowerCase().replaceAll('_', '-')}`, `not YAML as it is read here: ${words}${place}`)
}
