/**
 * Files with bearer tokens of agents: one token alone, for every agent, or a line for each host, `HOST[:PORT] TOKEN`, with `*` for all that
 * have none of their own. Blank lines and those that begin with # mean nothing. A text that is not of this form is never shown in a message, as
 * it may be a token.
 */
import { FormatError } from './format-error.ts'
import { parseHost, printHost } from './locator.ts'

export interface TokenTable {
  /** By host and by host and port, in lower case as `printHost` writes them. */
  readonly byHost: ReadonlyMap<string, string>
  /** For all others. */
  readonly fallback: string | undefined
}

const tokenCharactersMax = 4096
const everyHost = '*'

/** Throws with the number of the line that breaks a rule. */
export function parseTokenFile(text: string): TokenTable {
  const lines = text
    .split('\n')
    .map((line, index) => ({ words: line.trim().split(/\s+/), number: index + 1 }))
    .filter(({ words: [first = ''] }) => first !== '' && !first.startsWith('#'))
  const [only] = lines
  if (only === undefined) throw new FormatError('tokens.empty', 'a token file must hold a token')
  if (lines.length === 1 && only.words.length === 1) return { byHost: new Map(), fallback: checkedToken(only.words[0], only.number) }
  const byHost = new Map<string, string>()
  for (const { words, number } of lines) {
    const [host, token, ...more] = words
    if (token === undefined || more.length > 0) throw refused(number, 'must be a host and its token')
    const name = hostName(host ?? '', number)
    if (byHost.has(name)) throw refused(number, 'names a host for the second time')
    byHost.set(name, checkedToken(token, number))
  }
  const fallback = byHost.get(everyHost)
  byHost.delete(everyHost)
  return { byHost, fallback }
}

/** The token for an agent: that of its host and port, else of its host, else of all. */
export function tokenFor(
  { byHost, fallback }: TokenTable,
  { name, port }: { readonly name: string; readonly port: number },
): string | undefined {
  const nameOf = (given: number | undefined) => printHost({ kind: 'remote', name: name.toLowerCase(), port: given })
  return byHost.get(nameOf(port)) ?? byHost.get(nameOf(undefined)) ?? fallback
}

function hostName(text: string, number: number): string {
  if (text === everyHost) return everyHost
  try {
    return printHost(parseHost(text.toLowerCase()))
  } catch (error) {
    if (error instanceof FormatError) throw refused(number, 'does not begin with a host')
    throw error
  }
}

function checkedToken(token: string | undefined, number: number): string {
  if (token !== undefined && token.length <= tokenCharactersMax && /^[\x21-\x7e]+$/.test(token)) return token
  throw refused(number, `has a token that is not of 1 to ${tokenCharactersMax} visible characters`)
}

function refused(number: number, rule: string): FormatError {
  return new FormatError('tokens.line', `line ${number} ${rule}`, { path: `line ${number}` })
}
