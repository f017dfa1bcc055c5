/** The operations on containers: install, delete, start, stop, restart, look, list (spec §3.5, routes 1 to 10). */

import {
  capabilities,
  containerPath,
  cpus,
  engine,
  environment,
  execUser,
  execWords,
  flag,
  id,
  image,
  memory,
  networkLinks,
  optionalFlag,
  optionalQueryFlag,
  pids,
  portPair,
  portPairs,
  queryCount,
  queryFlag,
  quota,
  restartPolicy,
  seccompProfile,
  slice,
  terminalSize,
  text,
  userNamespace,
  volumeConfig,
} from './fields.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

const containerParams = z.object({ id })
const nothing = z.object({})

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
    'must not be given with Volumes: their files would belong to somebody else at the next start',
    ({ userNamespace, volumeConfig }) => userNamespace === undefined || (volumeConfig?.volumes ?? []).length === 0,
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

const execBody = z.object({
  command: execWords,
  /** With a terminal there is one output, and input is what somebody types. */
  terminal: flag,
  columns: z._default(terminalSize, 80),
  rows: z._default(terminalSize, 24),
  user: z._default(execUser, ''),
  input: z._default(optionalFlag, true),
})
export type ExecIn = z.infer<typeof execBody>

export const execContainer = operation({
  id: 'execContainer',
  method: 'POST',
  path: '/container/{id}/exec',
  summary: 'Run a command in a running container',
  description:
    'A session: the request asks for an upgrade, and the body is its first frame. The command ends when the connection does. It runs as the account of an isolated container, otherwise as the user of the container, unless User is given.',
  params: containerParams,
  query: nothing,
  body: execBody,
  reply: { kind: 'session' },
  errors: ['CONTAINER_UNKNOWN', 'CONTAINER_NOT_RUNNING', 'UPGRADE_REQUIRED', 'ENGINE_FAILED', 'ENGINE_UNAVAILABLE', 'STORAGE_FAILED'],
  effect: 'once',
  lane: 'stream',
})

/** What may be at a path. Devices and sockets count as files. */
const fileKinds = ['file', 'folder'] as const
export type FileKind = (typeof fileKinds)[number]

const fileErrors = [
  'CONTAINER_UNKNOWN',
  'CONTAINER_NOT_RUNNING',
  'FILE_UNKNOWN',
  'ENGINE_FAILED',
  'ENGINE_UNAVAILABLE',
  'STORAGE_FAILED',
] as const

export const getFileKind = operation({
  id: 'getFileKind',
  method: 'GET',
  path: '/container/{id}/files/kind',
  summary: 'What is at a path in a running container',
  description: 'Links are followed, within the container.',
  params: containerParams,
  query: z.object({ path: containerPath }),
  reply: { kind: 'data', schema: z.object({ kind: z.enum(fileKinds) }) },
  errors: fileErrors,
  effect: 'read',
  lane: 'job',
})

export const readFiles = operation({
  id: 'readFiles',
  method: 'GET',
  path: '/container/{id}/files',
  summary: 'A file, or a folder with all that is in it, out of a running container',
  description:
    'A tar. Its first entry is the file or folder, under its own name; all others are in it. The root folder may come without an entry of its own. Links in the path are followed within the container, links in a folder come as links. A copy that breaks off ends the connection.',
  params: containerParams,
  query: z.object({ path: containerPath }),
  reply: { kind: 'bytes' },
  errors: fileErrors,
  effect: 'read',
  lane: 'stream',
})

export const writeFiles = operation({
  id: 'writeFiles',
  method: 'POST',
  path: '/container/{id}/files',
  summary: 'Unpack a tar in a folder of a running container',
  description:
    'A session: the request asks for an upgrade, the body is its first frame, and the input is the tar. It ends with exit code 0 when all is unpacked. Files that are there are replaced, a folder never by something else. Owners are the numbers in the tar. What had arrived before a failure stays.',
  params: containerParams,
  query: nothing,
  body: z.object({ folder: containerPath }),
  reply: { kind: 'session' },
  errors: [...fileErrors, 'COPY_STALLED', 'COPY_TOO_LARGE', 'UPGRADE_REQUIRED'],
  effect: 'once',
  hasDryRun: true,
  lane: 'stream',
})

/** How a container is. Times are RFC 3339, sizes bytes. */
const containerStatusData = z.object({
  id: text,
  unit: text,
  activeState: text,
  subState: text,
  loadState: text,
  /** When the present state was entered. */
  since: z.optional(text),
  /** Starts at boot. */
  enabled: z.boolean(),
  /** Automatic restarts since the last requested start. */
  restarts: z.number(),
  /** Of the last run that ended. */
  exitCode: z.optional(z.number()),
  signal: z.optional(text),
  oomKilled: z.optional(z.boolean()),
  ports: z.array(portPair),
  engine: z.optional(text),
  image: text,
  imageId: z.optional(text),
  imageDigest: z.optional(text),
  containerId: z.optional(text),
  memoryBytes: z.optional(z.number()),
  cpuMs: z.optional(z.number()),
  /** The MCS level it runs at, `off` when the host is without SELinux, or `not its own: …` with the label that it runs with. */
  seLinux: z.optional(text),
  /** Whether the quota it was installed with is enforced, or why not. */
  quota: z.optional(text),
  /** The unit file was changed after the container was started: a restart brings the change into effect. */
  restartNeeded: z.boolean(),
  /** In one sentence, why the container is not running though it should. */
  cause: z.optional(text),
  /** What to try. */
  next: z.optional(text),
  lines: z.optional(z.array(text)),
})
export type ContainerStatus = z.infer<typeof containerStatusData>

export const containerStatus = operation({
  id: 'containerStatus',
  method: 'GET',
  path: '/container/{id}/status',
  summary: 'How a container is',
  description: 'The text of `systemctl status`; with Accept: application/json the same as data, with `lines` as many log lines.',
  params: containerParams,
  query: z.object({ lines: z._default(queryCount(1000), 0) }),
  reply: { kind: 'text', data: containerStatusData },
  errors: ['CONTAINER_UNKNOWN', 'COMMAND_FAILED', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'job',
})

export const containerLog = operation({
  id: 'containerLog',
  method: 'GET',
  path: '/container/{id}/log',
  summary: 'The log of a container',
  description:
    'Without parameters: the lines of the last 30 seconds and those of the next 30 (spec §4.7). With `lines` or `since`: those, and then the end, unless `follow` keeps the stream open until the caller leaves.',
  params: containerParams,
  query: z.object({
    follow: optionalQueryFlag,
    since: z.optional(
      text.check(
        z.refine(value => /^[0-9A-Za-z :.+-]{1,64}$/.test(value), {
          error: () => 'must be a time such as -10m, 2026-01-02 10:00 or today',
        }),
      ),
    ),
    lines: z.optional(queryCount(limits.logLinesMax)),
  }),
  reply: { kind: 'text' },
  errors: ['CONTAINER_UNKNOWN', 'COMMAND_FAILED', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'stream',
})

export const containerPorts = operation({
  id: 'containerPorts',
  method: 'GET',
  path: '/container/{id}/ports',
  summary: 'The port pairs of a container',
  params: containerParams,
  query: nothing,
  reply: { kind: 'data', schema: z.object({ ports: z.array(portPair) }) },
  errors: ['CONTAINER_UNKNOWN', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})

/** One step of a wait: what systemd and the engine say meanwhile, and at last how it ended. */
const waitEventData = z.object({
  event: z.enum(['state', 'log', 'reached', 'failed']),
  /** A line for people: a log line (pull progress among them), a state, the cause of a failure. */
  message: text,
  code: z.optional(text),
  next: z.optional(text),
})
export type WaitEvent = z.infer<typeof waitEventData>

export const waitContainer = operation({
  id: 'waitContainer',
  method: 'GET',
  path: '/container/{id}/wait',
  summary: 'Wait until a container has started or stopped, or failed to',
  description:
    'A stream of events, one JSON object a line; the last is `reached` or `failed`. Log lines of the unit (the progress of a pull among them) come as they are written.',
  params: containerParams,
  query: z.object({ for: z._default(z.enum(['started', 'stopped'], { error: () => 'must be started or stopped' }), 'started') }),
  reply: { kind: 'events', schema: waitEventData },
  errors: ['CONTAINER_UNKNOWN', 'COMMAND_FAILED', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'stream',
})

const listedContainer = z.object({
  id: text,
  activeState: text,
  subState: text,
  loadState: text,
  jobType: z.optional(text),
})
export type ListedContainer = z.infer<typeof listedContainer>

export const listContainers = operation({
  id: 'listContainers',
  method: 'GET',
  path: '/containers',
  summary: 'The containers systemd has loaded, or with `all` every installed one',
  params: nothing,
  query: z.object({ all: queryFlag }),
  reply: {
    kind: 'data',
    schema: z.object({ containers: z.array(listedContainer) }),
    table: {
      columns: ['ID', 'ACTIVE', 'SUB', 'LOAD', 'TYPE'],
      rows: data => data.containers.map(item => [item.id, item.activeState, item.subState, item.loadState, item.jobType ?? '']),
    },
  },
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'job',
})

/** What a container needs at this moment. */
const usedContainer = z.object({
  id: text,
  activeState: text,
  subState: text,
  /** Automatic restarts since the last requested start. */
  restarts: z.number(),
  memoryBytes: z.optional(z.number()),
  memoryMaxBytes: z.optional(z.number()),
  cpuMs: z.optional(z.number()),
})

export type UsedContainer = z.infer<typeof usedContainer>

export const containersUsage = operation({
  id: 'containersUsage',
  method: 'GET',
  path: '/containers/usage',
  summary: 'What the containers that run need of memory and processor',
  description:
    'Those that systemd has loaded and that are not at rest. Processor time is a sum: a share comes from two answers, whose times are those of the host.',
  params: nothing,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({ atMs: z.number(), containers: z.array(usedContainer) }),
    table: {
      columns: ['ID', 'ACTIVE', 'SUB', 'RESTARTS', 'MEMORY', 'CPUMS'],
      rows: data =>
        data.containers.map(item => [
          item.id,
          item.activeState,
          item.subState,
          String(item.restarts),
          String(item.memoryBytes ?? ''),
          String(item.cpuMs ?? ''),
        ]),
    },
  },
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
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
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})
