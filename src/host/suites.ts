/** What the ports' suites share. Only tests import this. */
import { GearError } from '../api/index.ts'

/** The catalogue code a promise fails with; `none` when it does not fail, the error's own text when it is no `GearError`. */
export async function codeOfFailure(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof GearError ? error.code : String(error)
  }
}
