/** The engine's failures in gear's words. */
import { GearError } from '../../api/index.ts'

/** `where` is the path of a socket or of a program. */
export function engineUnavailable(where: string, cause: unknown): GearError {
  return new GearError('ENGINE_UNAVAILABLE', `The container engine does not answer on ${where}`, { cause })
}

/** Somebody listens, and says nothing. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`)
  }
}

/** Whether the engine is there but hangs; one that is not there at all is another matter. */
export function isHanging(error: GearError): boolean {
  return error.cause instanceof NoAnswer
}

export function engineFailed(attempted: string, cause: unknown): GearError {
  return new GearError('ENGINE_FAILED', `Could not ${attempted}`, { cause })
}

/** Reads what an engine answered. What cannot be read is a failure of what was attempted. */
export function understood<Result>(attempted: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw engineFailed(attempted, error)
  }
}
