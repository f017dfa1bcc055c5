/** The operations that look at containers: status, log, ports, waiting, the list and what they use (spec §3.5). */
import { id, nothing, optionalQueryFlag, portPair, queryCount, queryFlag, text } from './fields.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

const containerParams = z.object({ id })

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
  /** Numbers of the host, `first-last`, that the users of its namespace have there; absent for one that shares the numbers of the host. */
  userNumbers: z.optional(text),
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
    'Without parameters: the lines of the last 30 seconds and those of the next 30. With `lines` or `since`: those, and then the end, unless `follow` keeps the stream open until the caller leaves.',
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
