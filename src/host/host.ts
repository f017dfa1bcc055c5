/** A machine: all ports together. The composition root makes one of real adapters, tests one of fakes. */
import type { Accounts } from './accounts/port.ts'
import type { Builder } from './builder/port.ts'
import type { Clock } from './clock/port.ts'
import type { Commands } from './commands/port.ts'
import type { Engines } from './engine/port.ts'
import type { Files } from './files/port.ts'
import type { Git } from './git/port.ts'
import type { Journal } from './journal/port.ts'
import type { Namespaces } from './netns/port.ts'
import type { Network } from './network/port.ts'
import type { Units } from './units/port.ts'

export interface Host {
  readonly units: Units
  readonly engines: Engines
  readonly builder: Builder
  readonly journal: Journal
  readonly files: Files
  readonly accounts: Accounts
  readonly git: Git
  readonly commands: Commands
  readonly network: Network
  readonly namespaces: Namespaces
  readonly clock: Clock
  readonly paths: Paths
}

/** The roots of the disk layout (spec §5.1) and of what else is read; absolute, without a slash at the end. */
export interface Paths {
  /** `/var/lib/containers` unless GEARD_BASE_PATH says otherwise. */
  readonly base: string
  /** `/var/run/containers` unless GEARD_RUN_PATH says otherwise. */
  readonly run: string
  /** `/etc/systemd/system` */
  readonly systemd: string
  /** Where the helpers that units call are installed: `/usr/lib/gear/libexec`. */
  readonly libexec: string
  /** Root of the cgroup file system: `/sys/fs/cgroup`. */
  readonly cgroup: string
  /** Repositories on the host itself may be cloned from below this folder only: `/srv/git` unless GEARD_CLONE_ROOT says otherwise. */
  readonly cloneRoot: string
}

/** Where things are unless a test or an administrator has them elsewhere. */
export const defaultPaths: Paths = {
  base: '/var/lib/containers',
  run: '/var/run/containers',
  systemd: '/etc/systemd/system',
  libexec: '/usr/lib/gear/libexec',
  cgroup: '/sys/fs/cgroup',
  cloneRoot: '/srv/git',
}
