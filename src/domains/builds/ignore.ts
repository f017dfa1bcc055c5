/**
 * The file .s2iignore: paths of the source that do not go into the container, one pattern a line as Go's filepath.Match has them; `!` takes back
 * what an earlier line named. Patterns are resolved against what is there, since tar knows no exceptions.
 */

/** What is in a folder of the source, by its relative path; links to folders are no folders here. */
export type Listing = (folder: string) => Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>

/** The paths that are left out, relative to the source. At most `max`. */
export async function ignoredPaths(text: string, list: Listing, max: number): Promise<readonly string[]> {
  const ignored = new Set<string>()
  for (const line of text.split(/\r?\n/)) {
    const pattern = line.trim()
    if (pattern === '' || pattern.startsWith('#')) continue
    const isException = pattern.startsWith('!')
    for (const path of await matching(partsOf(isException ? pattern.slice(1) : pattern), list)) {
      if (isException) ignored.delete(path)
      else if (ignored.size < max) ignored.add(path)
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
  const matches = patternOf(part)
  const entries = (await list(folder)).filter(({ name }) => matches.test(name))
  if (rest.length === 0) return entries.map(({ name }) => join(folder, name))
  const found: string[] = []
  for (const { name, isFolder } of entries) if (isFolder) found.push(...(await matching(rest, list, join(folder, name))))
  return found
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** `*`, `?` and `[a-z]`; runs of `*` are one, so that no pattern takes long. */
function patternOf(part: string): RegExp {
  const source = part.replaceAll(/\*+/g, '*').replaceAll(/\[\^?[^\][\\]+\]|[\s\S]/g, piece => {
    if (piece === '*') return '.*'
    if (piece === '?') return '.'
    return piece.length > 1 ? piece : piece.replace(/[.+^${}()|[\]\\/]/, '\\$&')
  })
  try {
    return new RegExp(`^${source}$`, 's')
  } catch {
    // a class such as [z-a] matches nothing
    return /(?!)/
  }
}
