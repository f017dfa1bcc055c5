/** The memory of this host's processes, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Memory {
  /** Pages that others share counted in full: what would be left to pay if this process were the only one. */
  readonly residentMb: number
  /** Shared pages divided among those that share them: what a sum is made of. */
  readonly proportionalMb: number
}

/** Of all of them together. One that has ended meanwhile counts nothing. */
export function memoryOf(pids: Iterable<number>): Memory {
  const all = [...pids].map(memoryOfOne)
  return {
    residentMb: all.reduce((total, { residentMb }) => total + residentMb, 0),
    proportionalMb: all.reduce((total, { proportionalMb }) => total + proportionalMb, 0),
  }
}

function memoryOfOne(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string) => (Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1]) * 1024) / 1e6
  return { residentMb: megabytes('Rss'), proportionalMb: megabytes('Pss') }
}

/** All that run one of the programs, by the names that the kernel keeps: 15 characters of each. */
export function processesNamed(...names: readonly string[]): readonly number[] {
  const kept = names.map(name => name.slice(0, 15))
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(pid => kept.includes(nameOf(pid)))
    .map(Number)
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return '' // it has ended
  }
}

/** Those of a unit's control group and of the groups in it, but for the container's own: on Podman they are in one within the unit's, beside that of conmon. */
export function processesOfGroup(group: string): readonly number[] {
  const root = `${systemdGroups()}${group}`
  const groups = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory() && !entry.name.startsWith('libpod-payload'))
  return [root, ...groups.map(({ name }) => join(root, name))]
    .flatMap(path => readFileSync(join(path, 'cgroup.procs'), 'utf8').trim().split('\n'))
    .filter(pid => pid !== '')
    .map(Number)
}

/** Where systemd keeps its groups: a hierarchy of its own beside those of cgroup v1, else the one of v2. */
function systemdGroups(): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
  return /^\S+ (\S+) cgroup \S*name=systemd/m.exec(mounts)?.[1] ?? '/sys/fs/cgroup'
}
