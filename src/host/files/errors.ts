/** Failures of files in gear's words. */
import { GearError } from '../../api/index.ts'

/** The failure of a file operation in gear's words. */
export function storageError(what: string, path: string, cause: unknown): GearError {
  if (cause instanceof GearError) return cause
  const code = errnoOf(cause)
  const message = `Could not ${what} ${path}`
  return new GearError(code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'STORAGE_FAILED', message, { cause })
}

/** The name the kernel has for the failure, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
