/** The engine's failures in gear's words. */
import { GearError } from '../../api/index.ts'

/** `where` is the path of a socket or of a program. */
export function engineUnavailable(where: string, cause: unknown): GearError {
  return new GearError('ENGINE_UNAVAILABLE', `The container engine does not answer on ${where}`, { cause })
}

export function engineFailed(attempted: string, cause: unknown): GearError {
  return new GearError('ENGINE_FAILED', `Could not ${attempted}`, { cause })
}
