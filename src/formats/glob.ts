/** Patterns of names as shells have them: `*` for any text, `?` for one character, `[a-f]` and `[!a-f]` for one of some. */

/** A pattern for whole names. A bracket that is never closed stands for itself. */
export function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(/\[(!|\^)?(\]?[^\]]*)\]|[\s\S]/g, (part, negation: string | undefined, set: string | undefined) => {
    if (set !== undefined)
      return set === '' ? escaped(part) : `[${negation === undefined ? '' : '^'}${set.replaceAll(/[\\[\]^]/g, '\\$&')}]`
    return part === '*' ? '.*' : part === '?' ? '.' : escaped(part)
  })
  try {
    return new RegExp(`^${source}$`, 's')
  } catch {
    // A range that ends before it begins matches nothing.
    return /(?!)/
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
