/**
 * The file .s2iignore: paths of the source that do not go into the container, one pattern a line as Go's filepath.Match has them; `!` takes back
 * what an earlier line named. Patterns are resolved against what is there, since tar knows no exceptions.
 */
import { GearError } from '../../api/index.ts'

/** What is in a folder of the source, by its relative path; links to folders are no folders here. */
export type Listing = (folder: string) => Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>

export interface IgnoreBounds {
  /** Most paths that may be left out. */
  readonly pathsMax: number
  /** Most names that all patterns together may be held against. */
  readonly looksMax: number
}

/** The paths that are left out, relative to the source. Throws SOURCE_FAILED for patterns that take too long with so many files. */
export async function ignoredPaths(text: string, list: Listing, { pathsMax, looksMax }: IgnoreBounds): Promise<readonly string[]> {
  const ignored = new Set<string>()
  const folders = new Map<string, ReturnType<Listing>>()
  let looks = 0
  // Each folder is read once, whatever the number of patterns that lead into it.
  const look: Listing = async folder => {
    const listed = folders.get(folder) ?? list(folder)
    folders.set(folder, listed)
    const entries = await listed
    looks += entries.length + 1
    if (looks > looksMax) throw new GearError('SOURCE_FAILED', 'The .s2iignore of the source has too many patterns for so many files')
    return entries
  }
  for (const line of text.split(/\r?\n/)) {
    const pattern = line.trim()
    if (pattern === '' || pattern.startsWith('#')) continue
    const isException = pattern.startsWith('!')
    for (const path of await matching(partsOf(isException ? pattern.slice(1) : pattern), look)) {
      if (isException) ignored.delete(path)
      else if (ignored.size < pathsMax) ignored.add(path)
    }
  }
  return [...ignored]
}

/** No pattern leaves the source. */
function partsOf(pattern: string): readonly string[] {
  const parts = pattern.split('/').filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? [] : parts
}

async function matching([part, ...rest]: readonly string[], list: Listing, folder = ''): Promise<readonly string[]> {
  if (part === undefined) return []
  const matches = matcherOf(part)
  const entries = (await list(folder)).filter(({ name }) => matches(name))
  if (rest.length === 0) return entries.map(({ name }) => join(folder, name))
  const found: string[] = []
  for (const { name, isFolder } of entries) {
    if (isFolder) for (const path of await matching(rest, list, join(folder, name))) found.push(path)
  }
  return found
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** Characters of the longest name that Linux knows. */
const nameCharactersMax = 255

/** One character of a name, or `any` for any number of them. */
type Token = 'any' | ((character: string) => boolean)

/** `*`, `?` and `[a-z]`. Not as one regular expression: `*a*a*a*a*b` would have it try every way to share a long name out, for years. */
function matcherOf(part: string): (name: string) => boolean {
  const tokens = (part.replaceAll(/\*+/g, '*').match(/\[\^?[^\][\\]+\]|[\s\S]/gu) ?? []).map(tokenOf)
  // Each but `any` takes a character, and no two of these are neighbours.
  if (tokens.length > 2 * nameCharactersMax + 1) return () => false
  return name => isMatch([...name], tokens)
}

function tokenOf(piece: string): Token {
  if (piece === '*') return 'any'
  if (piece === '?') return () => true
  if ([...piece].length === 1) return character => character === piece
  try {
    const characters = new RegExp(`^${piece}$`, 'su')
    return character => characters.test(character)
  } catch {
    // a class such as [z-a] matches nothing
    return () => false
  }
}

/** Of several `*` only the last one ever has to take more, since the earlier ones took as little as they could. */
function isMatch(characters: readonly string[], tokens: readonly Token[]): boolean {
  let at = 0
  let token = 0
  let last: { readonly token: number; taken: number } | undefined
  while (at < characters.length) {
    const wanted = tokens[token]
    const character = characters[at]
    if (wanted === 'any') {
      last = { token, taken: at }
      token += 1
    } else if (wanted !== undefined && character !== undefined && wanted(character)) {
      token += 1
      at += 1
    } else if (last !== undefined) {
      last.taken += 1
      at = last.taken
      token = last.token + 1
    } else return false
  }
  return tokens.slice(token).every(each => each === 'any')
}
