/** Failures of tools in gear's words. */
import { GearError } from '../../api/index.ts'
import type { Tool } from './port.ts'

export function commandFailed(tool: Tool, args: readonly string[], cause: unknown): GearError {
  return new GearError('COMMAND_FAILED', `Could not run ${[tool, ...args].join(' ')}`, { cause })
}
