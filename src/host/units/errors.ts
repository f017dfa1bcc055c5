/** systemd's failures in gear's words. The D-Bus error name is in `data.name`, what systemd said is the cause. */
import { GearError } from '../../api/index.ts'

/** D-Bus error names gear tells apart. */
export const unitErrors = {
  noSuchUnit: 'org.freedesktop.systemd1.NoSuchUnit',
  /** A unit of that name is loaded already. */
  exists: 'org.freedesktop.systemd1.UnitExists',
  masked: 'org.freedesktop.systemd1.UnitMasked',
  destructive: 'org.freedesktop.systemd1.TransactionIsDestructive',
  alreadySubscribed: 'org.freedesktop.systemd1.AlreadySubscribed',
  /** gear's own: systemd tells it by an exit code. */
  notExecuted: 'gear.NotExecuted',
  fileNotFound: 'org.freedesktop.DBus.Error.FileNotFound',
} as const

export function systemdFailed(
  attempted: string,
  reply: { readonly name: string; readonly message: string; readonly cause?: unknown },
): GearError {
  return new GearError('SYSTEMD_FAILED', `Could not ${attempted}`, {
    cause: reply.cause ?? new Error(reply.message),
    data: { name: reply.name },
  })
}

export function systemdUnavailable(attempted: string, cause: unknown): GearError {
  return new GearError('SYSTEMD_UNAVAILABLE', `Could not ${attempted}: systemd does not answer over D-Bus`, { cause })
}

/** The D-Bus error name a call failed with, if it did. */
export function systemdErrorName(error: unknown): string | undefined {
  if (!(error instanceof GearError) || error.code !== 'SYSTEMD_FAILED') return undefined
  const { data } = error
  return typeof data === 'object' && data !== null && 'name' in data && typeof data.name === 'string' ? data.name : undefined
}
