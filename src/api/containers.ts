/** The operations that change containers: install, delete, start, stop, restart, purge (spec §3.5). */
import { checkVolumePath, FormatError, parseCapability, parseQuota, parseVolumePath } from '../formats/index.ts'
import {
  cpus,
  engine,
  environment,
  flag,
  id,
  image,
  isOneOf,
  list,
  memory,
  networkLinks,
  nothing,
  optionalFlag,
  parsed,
  pids,
  portPairs,
  queryFlag,
  text,
  wants,
} from './fields.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

const containerParams = z.object({ id })

const mountPath = parsed(parseVolumePath)

const volumeConfig = z
  .object(
    {
      volumes: z._default(list(z.object({ path: mountPath }, wants('an object with Path')), limits.volumesMax), []),
      volumeMounts: z._default(
        list(
          z.object({ path: mountPath, hostPath: mountPath, readOnly: flag }, wants('an object with Path, HostPath and ReadOnly')),
          limits.volumesMax,
        ),
        [],
      ),
    },
    wants('an object with Volumes and VolumeMounts'),
  )
  .check(
    z.refine(
      ({ volumes, volumeMounts }) => arePlaces([...volumes.map(volume => volume.path), ...volumeMounts.map(mount => mount.hostPath)]),
      { error: () => 'must name each place in the container once, and not its root' },
    ),
  )

function arePlaces(paths: readonly string[]): boolean {
  return !paths.includes('/') && new Set(paths).size === paths.length
}

/** The slices a container may be in; all but the first are size classes too. */
export const sliceNames = ['container', 'container-small', 'container-large'] as const
const slice = z.pipe(
  z._default(text.check(z.refine(value => value === '' || isOneOf(sliceNames, value), wants(`one of ${sliceNames.join(', ')}`))), ''),
  z.transform(value => (value === '' ? 'container-small' : (value as (typeof sliceNames)[number]))),
)

/** When systemd starts a container again by itself: systemd.service(5), Restart=. */
export const restartPolicies = ['on-failure', 'always', 'no'] as const
const restartPolicy = z.pipe(
  z._default(
    text.check(z.refine(value => value === '' || isOneOf(restartPolicies, value), wants(`one of ${restartPolicies.join(', ')}`))),
    '',
  ),
  z.transform(value => (value === '' ? 'on-failure' : (value as (typeof restartPolicies)[number]))),
)

/** Names of capabilities(7) in any case, with or without CAP_; ALL for all of them. */
const capabilities = list(parsed(parseCapability), limits.capabilitiesMax)

/** A file of the host, `unconfined`, or nothing. */
const seccompProfile = z.pipe(
  text.check(
    z.refine(value => value === '' || value === 'unconfined' || isFilePath(value), {
      error: () => 'must be unconfined or the absolute path of a file on the host, in its shortest form and without : and ,',
    }),
  ),
  z.transform(value => (value === '' ? undefined : value)),
)

function isFilePath(value: string): boolean {
  try {
    checkVolumePath(value)
    return value !== '/'
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

/** `auto`, or nothing. */
const userNamespace = z.pipe(
  text.check(z.refine(value => value === '' || value === 'auto', wants('auto'))),
  z.transform(value => (value === '' ? undefined : ('auto' as const))),
)

/** `10g`, or `0` for no limit. Inside: bytes. */
const quota = parsed(parseQuota)

/** What to install. On the wire with capitals: `{"Image": "acme/shop", "Ports": [{"Internal": 8080, "External": 0}], "Started": true}`. */
const installContainerFields = z.object({
  image,
  /** Publishes all ports of the image on ports the engine picks, when no ports are named (spec §3.6). */
  simple: flag,
  isolate: flag,
  socketActivation: flag,
  skipSocketProxy: flag,
  ports: z._default(portPairs, []),
  environment: z.optional(environment),
  networkLinks: z.optional(networkLinks),
  volumeConfig: z.optional(volumeConfig),
  started: flag,
  systemdSlice: slice,
  /** Limit per container; without it the size class of the slice decides (512 MiB for container-small, 1 GiB for container-large). */
  memory: z.optional(memory),
  cpus: z.optional(cpus),
  pids: z.optional(pids),
  restart: restartPolicy,
  /** Without it an update stays on the engine the container is on, and a new container goes to that of the host. */
  engine: z.optional(engine),
  /** Beside the default set (docs/guide/hardening.md). */
  capAdd: z.optional(capabilities),
  capDrop: z.optional(capabilities),
  /** Set-user-id programs and file capabilities work. */
  newPrivileges: optionalFlag,
  readOnly: optionalFlag,
  seccompProfile: z.optional(seccompProfile),
  userNamespace: z.optional(userNamespace),
  /** Of everything that belongs to its account. */
  quota: z.optional(quota),
})

type InstallFields = z.infer<typeof installContainerFields>

/** Wishes that exclude each other. */
const conflict = (field: keyof InstallFields, rule: string, isFine: (body: InstallFields) => boolean) =>
  z.refine<InstallFields>(isFine, { path: [field], error: () => rule })

const installContainerBody = installContainerFields.check(
  conflict(
    'capAdd',
    'must not be given with Isolate, whose user gets no capabilities',
    ({ capAdd = [], isolate }) => capAdd.length === 0 || !isolate,
  ),
  conflict('capDrop', 'must not name what CapAdd names', ({ capAdd = [], capDrop = [] }) => !capDrop.some(name => capAdd.includes(name))),
  conflict(
    'capDrop',
    'must not be given with both Isolate and NewPrivileges: the container needs some of them to become its user',
    ({ capDrop = [], isolate, newPrivileges }) => capDrop.length === 0 || !isolate || newPrivileges !== true,
  ),
  conflict(
    'readOnly',
    'must not be given with Isolate, which changes files of the image',
    ({ readOnly, isolate }) => !(readOnly && isolate),
  ),
  conflict(
    'quota',
    'must be given with Isolate: it counts what belongs to the account',
    ({ quota = 0, isolate }) => quota === 0 || isolate,
  ),
  conflict(
    'userNamespace',
    'must not be given with Isolate: in a user namespace nobody has the number of an account of the host',
    ({ userNamespace, isolate }) => userNamespace === undefined || !isolate,
  ),
  conflict(
    'userNamespace',
    'must not be given with VolumeMounts: in a user namespace folders of the host belong to nobody',
    ({ userNamespace, volumeConfig }) => userNamespace === undefined || (volumeConfig?.volumeMounts ?? []).length === 0,
  ),
)
export type InstallContainer = z.infer<typeof installContainerBody>

export const installContainer = operation({
  id: 'installContainer',
  method: 'PUT',
  path: '/container/{id}',
  summary: 'Install an image as a container with its own systemd unit',
  description:
    'Installing an id that exists updates it: same external ports where the internal ports match; a running container keeps running as it was until it is restarted. What is not given again is gone, but for links, and the answer names it. The ports that were reserved come in the header X-PortMapping.',
  params: containerParams,
  query: nothing,
  body: installContainerBody,
  reply: { kind: 'text' },
  errors: [
    'PORT_TAKEN',
    'PORTS_EXHAUSTED',
    'NAME_TAKEN',
    'ENGINE_DIFFERS',
    'SOCKET_ACTIVATION_UNSUPPORTED',
    'USER_NAMESPACE_UNSUPPORTED',
    'ENVIRONMENT_FETCH_FAILED',
    'ENGINE_FAILED',
    'DISK_FULL',
    'STORAGE_FAILED',
    'SYSTEMD_FAILED',
    'SYSTEMD_UNAVAILABLE',
  ],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const deleteContainer = operation({
  id: 'deleteContainer',
  method: 'DELETE',
  path: '/container/{id}',
  summary: 'Stop a container and remove it with everything of its own',
  description:
    'An unknown id is no error. The environment and the data volumes (in the engine container ID-data) are kept, unless `all` is given.',
  params: containerParams,
  query: z.object({ all: queryFlag }),
  reply: { kind: 'none' },
  errors: ['SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE', 'STORAGE_FAILED', 'ACCOUNT_FAILED', 'ENGINE_FAILED', 'ENGINE_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const startContainer = operation({
  id: 'startContainer',
  method: 'PUT',
  path: '/container/{id}/started',
  summary: 'Start a container now and at every boot',
  description: 'Queues the start and answers; use waitContainer to learn how it went.',
  params: containerParams,
  query: nothing,
  reply: { kind: 'text' },
  errors: ['CONTAINER_UNKNOWN', 'DISK_FULL', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const stopContainer = operation({
  id: 'stopContainer',
  method: 'PUT',
  path: '/container/{id}/stopped',
  summary: 'Stop a container, and do not start it at boot',
  description: 'With Wait, the journal of the unit is streamed until it has stopped, at most 15 s.',
  params: containerParams,
  query: nothing,
  body: z.object({ wait: flag }),
  reply: { kind: 'text' },
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const restartContainer = operation({
  id: 'restartContainer',
  method: 'POST',
  path: '/container/{id}/restart',
  summary: 'Restart a container',
  params: containerParams,
  query: nothing,
  reply: { kind: 'text' },
  errors: ['CONTAINER_UNKNOWN', 'CONTAINER_CHANGING', 'DISK_FULL', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'once',
  hasDryRun: true,
  lane: 'job',
})

export const purgeContainers = operation({
  id: 'purgeContainers',
  method: 'DELETE',
  path: '/containers',
  summary: 'Stop and disable every container of the host; their files stay',
  params: nothing,
  query: nothing,
  reply: { kind: 'none' },
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE', 'ENGINE_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})
