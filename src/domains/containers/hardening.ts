/**
 * What a container may do beyond its own files and processes: from the wishes of an install to the options of `docker run` and `podman run`. Pure.
 * Both engines get the same: what the one grants by default and the other does not is taken away (docs/decisions/0052).
 */
import type { InstallContainer } from '../../api/index.ts'
import type { Capability } from '../../formats/index.ts'
import { mcsLevel } from './mcs-level.ts'

export interface Hardening {
  readonly capAdd: readonly Capability[]
  readonly capDrop: readonly Capability[]
  /** Set-user-id programs and file capabilities work. */
  readonly hasNewPrivileges: boolean
  readonly isReadOnly: boolean
  /** A file of the host, `unconfined`, or undefined for the engine's own profile. */
  readonly seccompProfile: string | undefined
  readonly hasUserNamespace: boolean
}

export function hardeningOf({ capAdd, capDrop, newPrivileges, readOnly, seccompProfile, userNamespace }: InstallContainer): Hardening {
  return {
    capAdd: capAdd ?? [],
    capDrop: capDrop ?? [],
    hasNewPrivileges: newPrivileges ?? false,
    isReadOnly: readOnly ?? false,
    seccompProfile: seccompProfile === '' ? undefined : seccompProfile,
    hasUserNamespace: userNamespace === 'auto',
  }
}

/** What docker grants and podman does not: containers that need one of these are rare, and say so. */
export const droppedByDefault: readonly Capability[] = ['AUDIT_WRITE', 'MKNOD', 'NET_RAW']

/** What the scripts of an isolated container need before they become the user, who then has no capability at all. */
const neededToIsolate: ReadonlySet<Capability> = new Set(['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID', 'SYS_CHROOT'])

export interface Hardened extends Hardening {
  readonly id: string
  readonly isIsolated: boolean
  /** Paths of the container at which something is mounted. */
  readonly places: readonly string[]
}

/** What a container has that wishes for nothing. */
export const plainContainer: Omit<Hardened, 'id'> = {
  isIsolated: false,
  places: [],
  capAdd: [],
  capDrop: [],
  hasNewPrivileges: false,
  isReadOnly: false,
  seccompProfile: undefined,
  hasUserNamespace: false,
}

export function hardeningOptions(spec: Hardened): readonly string[] {
  const options = capabilityOptions(spec)
  if (!spec.hasNewPrivileges) options.push('--security-opt', 'no-new-privileges')
  if (spec.seccompProfile !== undefined) options.push('--security-opt', `seccomp=${spec.seccompProfile}`)
  // Without SELinux the engines pass over it.
  options.push('--security-opt', `label=level:${mcsLevel(spec.id)}`)
  if (spec.isReadOnly) {
    options.push('--read-only')
    for (const [place, mode] of writablePlaces) {
      if (!spec.places.includes(place)) options.push('--tmpfs', `${place}:rw,nosuid,nodev,noexec,mode=${mode}`)
    }
  }
  if (spec.hasUserNamespace) options.push('--userns', 'auto')
  return options
}

/** What programs expect to be able to write in, and to find empty at their start. */
const writablePlaces = [
  ['/run', '755'],
  ['/tmp', '1777'],
] as const

function capabilityOptions({ capAdd, capDrop, isIsolated }: Hardened): string[] {
  const added = new Set(capAdd)
  const isAllDropped = capDrop.includes('ALL')
  const dropped = isAllDropped
    ? (['ALL'] as const)
    : [...new Set([...droppedByDefault.filter(name => !added.has(name)), ...capDrop])].sort()
  const kept = isIsolated && isAllDropped ? [...neededToIsolate] : []
  const droppable = dropped.filter(name => !isIsolated || !neededToIsolate.has(name))
  return [...droppable.map(name => `--cap-drop=${name}`), ...[...new Set([...added, ...kept])].sort().map(name => `--cap-add=${name}`)]
}
