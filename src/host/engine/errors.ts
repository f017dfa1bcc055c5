/** The engine's failures in gear's words. */
import { GearError } from '../../api/index.ts'

export function engineUnavailable(socketPath: string, cause: unknown): GearError {
  return new GearError('ENGINE_UNAVAILABLE', `The container engine does not answer on ${socketPath}`, { cause })
}

export function engineFailed(attempted: string, cause: unknown): GearError {
  return new GearError('ENGINE_FAILED', `Could not ${attempted}`, { cause })
}
