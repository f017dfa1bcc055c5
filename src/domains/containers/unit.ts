/**
 * From a container's spec to its unit file. Pure; `test/golden/units` has the expected files. Nothing of a user's environment is in a unit:
 * `Environment=` and `EnvironmentFile=` would reach root's engine CLI (design §4), so only the engine reads the environment file.
 * What is only known at run time (cgroup driver, data container) is added by the helpers in `libexec/`.
 */
import { escapeSpecifiers, printCommand, printCpus, printUnitFile, quoteArgument, type UnitEntry } from '../../formats/index.ts'
import type { Paths } from '../../host/index.ts'
import { containerPaths, environmentFile } from '../layout/index.ts'
import { type ContainerSpec, environmentKey, memoryKey } from './container.ts'

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

function unitEntries({ id }: ContainerSpec): readonly UnitEntry[] {
  return [
    ['Description', `Container ${id}`],
    // Not Wants=docker.service: an automatic restart would start an engine that an administrator has just stopped. A requested start does it.
    ['After', 'docker.service'],
    // A crash loop ends in `failed`, with the cause kept. A requested start forgets the count before.
    ['StartLimitIntervalSec', '10min'],
    ['StartLimitBurst', '10'],
  ]
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
  const helper = (name: string, ...args: readonly string[]) => printCommand([`${paths.libexec}/${name}`, spec.id, ...args])
  return [
    ['Type', 'simple'],
    // A first start may pull a large image; the original's 5 min cut pulls short.
    ['TimeoutStartSec', '30min'],
    ['TimeoutStopSec', '2min'],
    ['Restart', spec.restart],
    ['RestartSec', '1s'],
    // A stop in the first instant of a start ends the helper by this signal, before it can say that it was called off.
    ['SuccessExitStatus', 'SIGTERM'],
    ['SyslogIdentifier', `ctr-${spec.id}`],
    ['Slice', `${spec.slice}.slice`],
    ...pathEntries(paths),
    [
      'ExecStartPre',
      helper(
        'docker-start',
        `${spec.slice}.slice`,
        ...(spec.isIsolated ? ['--isolate'] : []),
        '--',
        ...runOptions(spec, paths),
        spec.image,
      ),
    ],
    ['ExecStart', helper('docker-wait')],
    ['ExecStop', helper('docker-stop')],
    ['ExecStopPost', helper('docker-cleanup')],
  ]
}

/** The options of `docker run` that are this container's own. */
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
  if (spec.isIsolated) {
    // The scripts that the start helper makes (spec §7). Root inside, until they have made the user the account.
    const { run } = containerPaths(paths, spec.id)
    options.push('-v', `${run}:/.container.init:ro,z`, '--user', '0:0', '--entrypoint', '/.container.init/container-init.sh')
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
  for (const { internal, external } of spec.ports) entries.push(['X-PortMapping', `${internal}:${external}`])
  if (spec.environment !== undefined) entries.push([environmentKey, spec.environment])
  if (spec.memoryBytes > 0) entries.push([memoryKey, String(spec.memoryBytes)])
  return entries
}
