/** A command line that cannot be carried out as it stands: one line on stderr, exit code 1, and nothing was sent anywhere. */
import { FormatError } from '../formats/index.ts'
import { closest } from '../lib/index.ts'

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `; did you mean stop?`, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = closest(word, candidates)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** Runs a parser; its complaint becomes one about the command line. `what` names the argument. */
export function usage<Value>(what: string, parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    if (error instanceof FormatError) throw new UsageError(what === '' ? error.message : `${what}: ${error.message}`)
    throw error
  }
}
