/** A command line that cannot be carried out as it stands: one line on stderr, exit code 1, and nothing was sent anywhere. */
import { FormatError } from '../formats/index.ts'

export class UsageError extends Error {
  override readonly name = 'UsageError'
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
