/** Failures with accounts in gear's words. */
import { GearError } from '../../api/index.ts'

export function accountFailed(attempted: string, said: string): GearError {
  return new GearError('ACCOUNT_FAILED', `Could not ${attempted}`, { cause: new Error(said.trim()) })
}
