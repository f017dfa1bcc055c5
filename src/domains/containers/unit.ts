/**
 * From a container's spec to its unit file. Pure; `test/golden/units` has the expected files. Nothing of a user's environment is in a unit:
 * `Environment=` and `EnvironmentFile=` would reach root's engine CLI (SECURITY.md), so only the engine reads the environment file.
 * What is only known at run time (cgroup driver, data container) is added by the helpers in `libexec/`.
 */
import type { EngineKind } from '../../api/index.ts'
import { escapeSpecifiers, printCommand, printCpus, printUnitFile, quoteArgument, type UnitEntry } from '../../formats/index.ts'
import type { Paths } from '../../host/index.ts'
import { containerPaths, engineKey, environmentFile } from '../layout/index.ts'
import { type ContainerSpec, environmentKey, memoryKey } from './container.ts'
import { hardeningOptions } from './hardening.ts'

/** The text of `ctr-ID.service`. Throws FormatError for a value that a unit file cannot hold; checked fields never are. */
export function renderUnit(spec: ContainerSpec, paths: Paths): string {
  return printUnitFile({
    sections: [
      { name: 'Unit', entries: unitEntries(spec) },
      { name: 'Service', entries: serviceEntries(spec, paths) },
      { name: 'Install', entries: installEntries(spec) },
    ],
  })
}

function unitEntries({ id, engine }: ContainerSpec): readonly UnitEntry[] {
  return [
    ['Description', `Container ${id}`],
    ...dependencies[engine],
    // A crash loop ends in `failed`, with the cause kept. A requested start forgets the count before.
    ['StartLimitIntervalSec', '10min'],
    ['StartLimitBurst', '10'],
  ]
}

const dependencies: Readonly<Record<EngineKind, readonly UnitEntry[]>> = {
  // Not Wants=docker.service: an automatic restart would start an engine that an administrator has just stopped. A requested start does it.
  docker: [['After', 'docker.service']],
  // A start may have to pull. Docker waits for the network itself.
  podman: [
    ['Wants', 'network-online.target'],
    ['After', 'network-online.target'],
  ],
}

/** Where the helpers look for a container's files when nothing else is said. */
const defaultPaths = { base: '/var/lib/containers', run: '/var/run/containers' } as const

/** The helpers learn of other roots from the unit. These come from the agent's configuration, never from a caller. */
function pathEntries({ base, run }: Paths): readonly UnitEntry[] {
  const entries: UnitEntry[] = []
  if (base !== defaultPaths.base) entries.push(['Environment', quoteArgument(`GEARD_BASE_PATH=${base}`)])
  if (run !== defaultPaths.run) entries.push(['Environment', quoteArgument(`GEARD_RUN_PATH=${run}`)])
  return entries
}

function serviceEntries(spec: ContainerSpec, paths: Paths): readonly UnitEntry[] {
  return [
    ...types[spec.engine],
    // A first start may pull a large image; the original's 5 min cut pulls short. It begins anew as long as the pull advances.
    ['TimeoutStartSec', '30min'],
    ['TimeoutStopSec', '2min'],
    ['Restart', spec.restart],
    ['RestartSec', '1s'],
    // A stop in the first instant of a start ends the helper by this signal, before it can say that it was called off.
    ['SuccessExitStatus', 'SIGTERM'],
    ['SyslogIdentifier', `ctr-${spec.id}`],
    ['Slice', `${spec.slice}.slice`],
    ...pathEntries(paths),
    ...commands[spec.engine](spec, paths),
  ]
}

const types: Readonly<Record<EngineKind, readonly UnitEntry[]>> = {
  docker: [
    ['Type', 'simple'],
    // Only the helpers themselves are told to end, not what they have called: the engine goes on with a call whose caller was killed, and a
    // container would appear after the clean-up.
    ['KillMode', 'mixed'],
    // A start helper whose pull advances is given more time than is set below.
    ['NotifyAccess', 'all'],
  ],
  // The start helper says when the container runs and makes conmon, which holds it, the main process. The container is in the unit's own
  // control group, so what systemd would limit there by default is lifted: limits of a container are its own.
  podman: [
    ['Type', 'notify'],
    ['NotifyAccess', 'all'],
    ['Delegate', 'yes'],
    // As on docker. A container that has lost its conmon, and with it whoever holds its output and its exit code, is killed at once.
    ['KillMode', 'mixed'],
    ['TasksMax', 'infinity'],
    // A container decides itself what the loss of one of its processes means, as on docker.
    ['OOMPolicy', 'continue'],
    // Its log has as much room as a container on docker has (packaging/docker-journal.conf).
    ['LogRateLimitIntervalSec', '1s'],
    ['LogRateLimitBurst', '10000000'],
  ],
}

const commands: Readonly<Record<EngineKind, (spec: ContainerSpec, paths: Paths) => readonly UnitEntry[]>> = {
  docker: (spec, paths) => [
    ['ExecStartPre', helper(spec, paths, 'docker-start', `${spec.slice}.slice`, ...startArguments(spec, paths))],
    ['ExecStart', helper(spec, paths, 'docker-wait')],
    ['ExecStop', helper(spec, paths, 'docker-stop')],
    ['ExecStopPost', helper(spec, paths, 'docker-cleanup')],
  ],
  podman: (spec, paths) => [
    ['ExecStart', helper(spec, paths, 'podman-start', ...startArguments(spec, paths))],
    ['ExecStop', helper(spec, paths, 'podman-stop')],
    ['ExecStopPost', helper(spec, paths, 'podman-cleanup')],
  ],
}

function startArguments(spec: ContainerSpec, paths: Paths): readonly string[] {
  const isolate = spec.quotaBytes > 0 ? `--isolate=${spec.quotaBytes}` : '--isolate'
  return [...(spec.isIsolated ? [isolate] : []), '--', ...runOptions(spec, paths), spec.image]
}

function helper({ id }: ContainerSpec, { libexec }: Paths, name: string, ...args: readonly string[]): string {
  return printCommand([`${libexec}/${name}`, id, ...args])
}

/** The options of `docker run` and `podman run` that are this container's own. */
export function runOptions(spec: ContainerSpec, paths: Paths): readonly string[] {
  const options: string[] = []
  if (spec.environment !== undefined) options.push('--env-file', environmentFile(paths, spec.environment))
  for (const { internal, external } of spec.ports) options.push('-p', `${external}:${internal}`)
  if (spec.publishAll) options.push('-P')
  for (const path of spec.volumes) options.push('-v', path)
  for (const mount of spec.mounts) options.push('-v', `${mount.hostPath}:${mount.containerPath}${mount.isReadOnly ? ':ro' : ''}`)
  if (spec.memoryBytes > 0) options.push('--memory', String(spec.memoryBytes))
  if (spec.cpus > 0) options.push('--cpus', printCpus(spec.cpus))
  if (spec.pids > 0) options.push('--pids-limit', String(spec.pids))
  // Podman would limit it to 2048.
  else if (spec.engine === 'podman') options.push('--pids-limit', '-1')
  options.push(
    ...hardeningOptions({
      ...spec.hardening,
      id: spec.id,
      isIsolated: spec.isIsolated,
      places: [...spec.volumes, ...spec.mounts.map(mount => mount.containerPath)],
    }),
  )
  if (spec.isIsolated) {
    // The scripts that the start helper makes (spec §7). Root inside, until they have made the user the account.
    const { run } = containerPaths(paths, spec.id)
    // Debian mounts /run with noexec, which podman keeps unless told otherwise, and docker does not.
    const flags = spec.engine === 'podman' ? 'ro,z,exec' : 'ro,z'
    options.push('-v', `${run}:/.container.init:${flags}`, '--user', '0:0', '--entrypoint', '/.container.init/container-init.sh')
  }
  return options
}

function installEntries(spec: ContainerSpec): readonly UnitEntry[] {
  const entries: UnitEntry[] = [
    ['WantedBy', 'container.target'],
    ['X-ContainerId', spec.id],
    ['X-ContainerImage', escapeSpecifiers(spec.image)],
    ['X-ContainerUserId', ''],
    ['X-ContainerRequestId', spec.requestId],
    ['X-ContainerType', spec.isIsolated ? 'isolated' : 'simple'],
  ]
  if (spec.engine !== 'docker') entries.push([engineKey, spec.engine])
  for (const { internal, external } of spec.ports) entries.push(['X-PortMapping', `${internal}:${external}`])
  if (spec.environment !== undefined) entries.push([environmentKey, spec.environment])
  if (spec.memoryBytes > 0) entries.push([memoryKey, String(spec.memoryBytes)])
  return entries
}
