/** `gear install` (spec §2.4) */
import { type EngineKind, engineKinds, limits, restartPolicies, sliceNames } from '../../api/index.ts'
import { type Given, type Input, request } from '../../client/index.ts'
import {
  type Capability,
  capabilityNames,
  checkPortPairs,
  type EnvironmentVariable,
  type NetworkLink,
  type PortPair,
  parseCapabilities,
  parseCpus,
  parseImageReference,
  parseMemory,
  parseNetworkLinks,
  parsePortPairs,
  parseQuota,
  parseVolumes,
  type Volumes,
} from '../../formats/index.ts'
import { sayAnswer, waitFor } from '../answers.ts'
import { readTargets, splitVariables } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { newEnvironmentId, readVariables } from '../environment.ts'
import { checked, choice, type DryRunFlags, dryRunFlags, parsed, repeated, text, toggle, wholeNumber } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

interface InstallFlags extends DryRunFlags {
  readonly ports?: readonly (readonly PortPair[])[]
  readonly netLinks?: readonly (readonly NetworkLink[])[]
  readonly volumes?: readonly Volumes[]
  readonly start?: boolean
  readonly wait?: boolean
  readonly envFile?: string
  readonly envUrl?: string
  readonly envId?: string
  readonly slice?: (typeof sliceNames)[number]
  readonly memory?: string
  readonly cpus?: string
  readonly pids?: number
  readonly restart?: (typeof restartPolicies)[number]
  readonly engine?: EngineKind
  readonly isolate?: boolean
  readonly capAdd?: readonly (readonly Capability[])[]
  readonly capDrop?: readonly (readonly Capability[])[]
  readonly newPrivileges?: boolean
  readonly readOnly?: boolean
  readonly seccompProfile?: string
  readonly userns?: 'auto'
  readonly quota?: string
  readonly socketActivated?: boolean
}

type Body = NonNullable<Input<'installContainer'>['body']>

export const command = () =>
  defineCommand<InstallFlags>({
    name: 'install',
    usage: 'IMAGE NAME... [VARIABLE=VALUE...] [flags]',
    description: [
      'Every name gets the same image, ports, links, volumes and environment. Installing a name again updates it: ports that are asked for again stay the same, and a running container goes on as it was until it is restarted. What is not given again is gone, isolation, volumes and limits among it (links stay): the answer names it, and --dry-run does before.',
      'The ports that were reserved are printed first: PortMapping: 8080 -> 4000.',
    ],
    argument: {
      placeholder: 'IMAGE NAME',
      brief: 'The image, then containers: [host[:port]/]id; arguments with = are variables',
      names: ['image', 'container'],
    },
    examples: [
      'gear install --start -p 8080:0 acme/shop web-1',
      'gear install acme/shop node7/web-1 node8/web-2 --ports=8080:80 MODE=prod --start --wait',
      'gear install acme/db db-1 -v /data,/srv/config:/etc/db:ro --memory 2g --env-file db.env --env-id db-env',
      'gear install acme/shop web-1 -n 127.0.0.1:6379:10.1.2.3:4100',
    ],
    flags: {
      ports: repeated('PAIRS', 'Port pairs internal:external,... (external 0: any free port)', parsePortPairs),
      netLinks: repeated('LINKS', 'Links [localhost_ip:]localport:remotehost:remoteport,...', parseNetworkLinks),
      volumes: repeated('SPECS', 'Volumes /path,... and mounts /host/path:/path[:ro|rw],...', parseVolumes),
      start: toggle('Start the containers, now and at every boot'),
      wait: toggle('With --start: wait until they run'),
      envFile: text('FILE', 'File with one VARIABLE=VALUE a line; arguments come after it'),
      envUrl: text('URL', 'Where each host fetches the environment from'),
      envId: text('ID', 'Name of the environment; other containers may share it'),
      slice: choice(sliceNames, 'The slice, which is also the size class (container-small: 512m, container-large: 1g)'),
      memory: checked('SIZE', 'Memory of each container: 512m, 1g; 0 for no limit', parseMemory),
      cpus: checked('COUNT', 'Processors of each container: 1.5; 0 for no limit', parseCpus),
      pids: parsed('COUNT', 'Most processes of each container; 0 for no limit', wholeNumber(4_194_304)),
      restart: choice(restartPolicies, 'When systemd starts a container again by itself (on-failure unless given)'),
      engine: choice(engineKinds, 'The container engine (that of the host unless given; an update stays on its engine)'),
      isolate: toggle('Run the containers as Unix users of their own'),
      capAdd: repeated('NAMES', 'Capabilities beyond the default set: NET_ADMIN,...', parseCapabilities),
      capDrop: repeated('NAMES', 'Capabilities that the containers lose: SETUID,... or ALL', parseCapabilities),
      newPrivileges: toggle('Let sudo and the like work in the containers'),
      readOnly: toggle('Keep the containers from writing but to volumes, /tmp and /run'),
      seccompProfile: text('FILE', 'File on each host with the system calls they may make, or unconfined'),
      quota: checked('SIZE', 'With --isolate: how much the files of each container may take: 10g', parseQuota),
      userns: choice(['auto'], 'On podman: user numbers that no other container has'),
      socketActivated: toggle('Start the containers at their first connection'),
      ...dryRunFlags,
    },
    aliases: { p: 'ports', n: 'netLinks', v: 'volumes' },
    flagNames: { envId: 'environment', capAdd: capabilityNames, capDrop: ['ALL', ...capabilityNames] },
    run: async (context, flags, args) => {
      const { variables, others } = splitVariables(args)
      const [image, ...names] = others
      if (image === undefined || names.length === 0) throw new UsageError('give an image and at least one name: IMAGE [host[:port]/]id...')
      if (flags.wait && !flags.start) throw new UsageError('--wait needs --start')
      usage('', () => parseImageReference(image))
      const targets = readTargets(names, 'container')
      if (targets.some(group => group.targets.some(({ id }) => id === image))) {
        throw new UsageError(`${image} is given as the image and as a name`)
      }
      const environment = environmentOf(flags, [...(await readVariables(context, flags.envFile)), ...variables])
      const body = bodyOf(flags, image, environment)
      const groups = requestAll(targets, ({ id }) => ({ request: request('installContainer', { params: { id }, body }) }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      if (environment?.id !== undefined && flags.envId === undefined)
        await context.err.write(`The environment gets the id ${environment.id}\n`)
      return runWork(context, flags, {
        groups,
        change: ({ id, name }) => ({ what: `The installation of ${id}`, look: `gear status ${name}` }),
        run: async call => {
          const { task, client, signal, say } = call
          const ports = await sayAnswer(await client.call(task.request, { signal }), say)
          if (flags.wait) await waitFor(context, call, task.id, 'started')
          return {
            ports,
            ...(environment === undefined ? {} : { environment: environment.id }),
            ...(flags.wait ? { state: 'started' } : {}),
          }
        },
      })
    },
  })

/** Nothing when no variable, URL or id is given; what has no id gets a random one. */
function environmentOf({ envUrl, envId }: InstallFlags, variables: readonly EnvironmentVariable[]) {
  if (variables.length === 0 && envUrl === undefined && envId === undefined) return undefined
  if (variables.length > limits.variablesMax) throw new UsageError(`there may be at most ${limits.variablesMax} variables`)
  return { variables, id: envId ?? newEnvironmentId(), ...(envUrl === undefined ? {} : { source: envUrl }) }
}

function bodyOf(flags: InstallFlags, image: string, environment: Given<Body['environment']>): Body {
  const ports = flags.ports?.flat() ?? []
  usage('--ports', () => checkPortPairs(ports))
  const { slice, memory, cpus, pids, restart, engine } = flags
  return {
    image,
    ports,
    environment,
    started: flags.start ?? false,
    isolate: flags.isolate ?? false,
    socketActivation: flags.socketActivated ?? false,
    systemdSlice: slice ?? 'container-small',
    // Without the flag the stored links stay; an empty list would clear them.
    networkLinks: flags.netLinks?.flat(),
    volumeConfig: flags.volumes === undefined ? undefined : volumeConfigOf(flags.volumes),
    memory,
    cpus,
    pids,
    restart,
    capAdd: flags.capAdd?.flat(),
    capDrop: flags.capDrop?.flat(),
    newPrivileges: flags.newPrivileges,
    readOnly: flags.readOnly,
    seccompProfile: flags.seccompProfile,
    userNamespace: flags.userns,
    quota: flags.quota,
    engine,
  }
}

/** On the wire `Path` is the folder of the host and `HostPath` that in the container: the names are the original's, and the wrong way round. */
function volumeConfigOf(given: readonly Volumes[]): Given<Body['volumeConfig']> {
  return {
    volumes: given.flatMap(({ paths }) => paths.map(path => ({ path }))),
    volumeMounts: given.flatMap(({ mounts }) =>
      mounts.map(({ hostPath, containerPath, isReadOnly }) => ({ path: hostPath, hostPath: containerPath, readOnly: isReadOnly })),
    ),
  }
}

/** The text itself, once a parser has taken it: the API takes the same text. */
