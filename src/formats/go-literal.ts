/**
 * Go's string and character literals, read as `strconv.Unquote` reads them. The original passes the values of environment variables
 * through it, and people's files rely on what comes out.
 */

const letterEscapes: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
])

/**
 * The bytes of a literal (`"…"` with escapes, `` `…` `` raw, `'x'` with at most one character), or undefined if the text is none.
 * Bytes, because an escape such as `\xff` names a single byte, which need not be part of any UTF-8 character.
 */
export function unquoteGoLiteral(text: string): Uint8Array | undefined {
  const quote = text.charAt(0)
  if (text.length < 2 || !text.endsWith(quote)) return undefined
  const inner = text.slice(1, -1)
  if (quote === '`') return inner.includes('`') ? undefined : new Uint8Array(Buffer.from(inner.replaceAll('\r', '')))
  if (quote !== '"' && quote !== "'") return undefined
  const characters = readCharacters(inner, quote)
  if (characters === undefined || (quote === "'" && characters.length > 1)) return undefined
  return new Uint8Array(Buffer.concat(characters))
}

/** The characters between two quotes, each as its bytes; undefined if something is not allowed there. */
function readCharacters(inner: string, quote: string): Buffer[] | undefined {
  const characters: Buffer[] = []
  const next =
    /\\(?:x(?<byte>[0-9a-fA-F]{2})|u(?<short>[0-9a-fA-F]{4})|U(?<long>[0-9a-fA-F]{8})|(?<octal>[0-7]{3})|(?<letter>.))|(?<plain>[^\\\n])/uy
  while (next.lastIndex < inner.length) {
    const character = readCharacter(next.exec(inner)?.groups, quote)
    if (character === undefined) return undefined
    characters.push(character)
  }
  return characters
}

function readCharacter(groups: Record<string, string | undefined> | undefined, quote: string): Buffer | undefined {
  const { byte, short, long, octal, letter, plain } = groups ?? {}
  if (plain !== undefined) return plain === quote ? undefined : Buffer.from(plain)
  if (byte !== undefined) return Buffer.of(Number.parseInt(byte, 16))
  if (octal !== undefined) return Number.parseInt(octal, 8) > 0xff ? undefined : Buffer.of(Number.parseInt(octal, 8))
  if (letter !== undefined) {
    const code = letter === quote ? letter.charCodeAt(0) : letterEscapes.get(letter)
    return code === undefined ? undefined : Buffer.of(code)
  }
  const hexadecimal = short ?? long
  return hexadecimal === undefined ? undefined : encodeCodePoint(Number.parseInt(hexadecimal, 16))
}

function encodeCodePoint(code: number): Buffer | undefined {
  const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  return isCharacter ? Buffer.from(String.fromCodePoint(code)) : undefined
}
