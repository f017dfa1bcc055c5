/** Failures of namespaces in gear's words. */
import { GearError } from '../../api/index.ts'

export function namespaceFailed(pid: number, cause: unknown): GearError {
  return new GearError('COMMAND_FAILED', `Could not look from inside the network of process ${pid}`, { cause })
}
