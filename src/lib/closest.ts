/** The word that was meant: of some candidates the one that takes the fewest single changes, when those are few enough. */

/** Undefined when nothing is near: more than a third of the word would have to change. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  let best: string | undefined
  let bestChanges = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const changes = changesBetween(wanted, candidate.toLowerCase())
    if (changes < bestChanges) {
      best = candidate
      bestChanges = changes
    }
  }
  return best
}

/** Letters to insert, to delete, to replace, or to exchange with their neighbour (the distance of Damerau and Levenshtein, without repeats). */
function changesBetween(one: string, other: string): number {
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(
        Math.min(
          (above[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (above[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = above
    above = current
  }
  return above[other.length] ?? 0
}
