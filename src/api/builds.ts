/** The operations on builds: images made from source by the scripts of a builder image (spec §3.5 routes 13 and 14, §4.14). */
import { FormatError, parseBuildSource, parseGitRef, parseRequestId, parseScriptsUrl } from '../formats/index.ts'
import {
  cpus,
  flag,
  image,
  imageTag,
  list,
  memory,
  nothing,
  optionalParsed,
  optionalQueryFlag,
  parsed,
  pids,
  sourceUrl,
  text,
  unusedText,
  variable,
  wants,
} from './fields.ts'
import type { RequestId } from './ids.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

/** Variables for the scripts of a build, and a file of more. */
const buildEnvironment = z.object(
  { variables: z._default(list(variable, limits.variablesMax), []), source: sourceUrl },
  wants('an object with Variables and Source'),
)

/** An http or https URL, or the empty string for none. */
const optionalUrl = z.pipe(
  sourceUrl,
  z.transform(value => (value === '' ? undefined : value)),
)

const buildSource = parsed(input => {
  parseBuildSource(input)
  return input
})

const buildRef = optionalParsed(parseGitRef)

const scriptsUrl = optionalParsed(input => {
  parseScriptsUrl(input)
  return input
})

/** A network of the engine, which may not be the host's own or that of another container. */
const buildNetwork = optionalParsed(input => {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(input) && input !== 'host') return input
  throw new FormatError('network', 'must be none or the name of a network of the engine, and not host')
})

/** What is not supported: the field is the original's. */
const nothingYet = z._default(text.check(z.refine(value => value === '', { error: () => 'is not supported' })), '')

/** The id of a build: its request id, or the name of its unit without `build-` and `.service`, which has that encoded once more. */
const buildId = parsed((input): RequestId => {
  const isUnit = /^[A-Za-z0-9_-]{30}$/.test(input)
  try {
    return parseRequestId(isUnit ? Buffer.from(input, 'base64url').toString('latin1') : input) as RequestId
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError('request-id', 'must be the id of a build, as a list of builds has it', { input })
  }
})

const buildParams = z.object({ build: buildId })

const buildImageBody = z.object({
  /** The original's: the request id counts. */
  name: unusedText,
  source: buildSource,
  tag: imageTag,
  baseImage: image,
  runtimeImage: nothingYet,
  clean: flag,
  verbose: flag,
  callbackUrl: optionalUrl,
  ref: buildRef,
  scripts: scriptsUrl,
  environment: z.optional(buildEnvironment),
  removePrevious: flag,
  network: buildNetwork,
  memory: z.optional(memory),
  cpus: z.optional(cpus),
  pids: z.optional(pids),
})
export type BuildAsked = z.infer<typeof buildImageBody>

export const buildImage = operation({
  id: 'buildImage',
  method: 'POST',
  path: '/build-image',
  summary: 'Build an image from source with the scripts of a builder image',
  description:
    'The build is a unit of its own, build-ID.service: it goes on when the caller leaves or the agent ends. The answer is its output as it comes, and ends with it; the same request id attaches to the same build. How it ended tells getBuild.',
  params: nothing,
  query: nothing,
  body: buildImageBody,
  reply: { kind: 'text' },
  errors: [
    'QUEUE_FULL',
    'REQUEST_ID_REUSED',
    'SOURCE_FAILED',
    'BUILD_FAILED',
    'BUILD_SCRIPT_MISSING',
    'BUILD_STOPPED',
    'ENGINE_FAILED',
    'PULL_STALLED',
    'PULL_RATE_LIMITED',
    'ENGINE_UNAVAILABLE',
    'DISK_FULL',
    'STORAGE_FAILED',
    'SYSTEMD_FAILED',
    'SYSTEMD_UNAVAILABLE',
  ],
  effect: 'once',
  hasDryRun: true,
  isFollowed: true,
  lane: 'stream',
})

/** A build that runs, or that has ended and is still kept. */
const buildReportData = z.object({
  /** The part of its unit's name (spec §3.6); the request id encoded once more. */
  id: text,
  requestId: text,
  activeState: text,
  subState: text,
  source: text,
  ref: z.optional(text),
  baseImage: text,
  tag: text,
  /** `waiting`, `running`, `built`, `failed` or `stopped`. */
  result: text,
  startedAt: text,
  finishedAt: z.optional(text),
  imageId: z.optional(text),
  commit: z.optional(text),
  incremental: z.optional(z.boolean()),
  code: z.optional(text),
  cause: z.optional(text),
  /** The last lines of what failed. */
  lines: z.optional(z.array(text)),
})
export type BuildReport = z.infer<typeof buildReportData>

export const listBuilds = operation({
  id: 'listBuilds',
  method: 'GET',
  path: '/builds',
  summary: 'The builds that run, and the last that have ended',
  params: nothing,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({ builds: z.array(buildReportData) }),
    table: {
      columns: ['ID', 'RESULT', 'TAG', 'BASE', 'SOURCE', 'STARTED'],
      rows: data => data.builds.map(item => [item.requestId, item.result, item.tag, item.baseImage, item.source, item.startedAt]),
    },
  },
  errors: ['STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'job',
})

export const getBuild = operation({
  id: 'getBuild',
  method: 'GET',
  path: '/builds/{build}',
  summary: 'How a build is, or how it ended',
  params: buildParams,
  query: nothing,
  reply: { kind: 'data', schema: buildReportData },
  errors: ['BUILD_UNKNOWN', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'job',
})

export const buildLog = operation({
  id: 'buildLog',
  method: 'GET',
  path: '/builds/{build}/log',
  summary: 'The output of a build',
  description: 'All that is kept of it; with `follow`, and then what comes until the build ends.',
  params: buildParams,
  query: z.object({ follow: optionalQueryFlag }),
  reply: { kind: 'text' },
  errors: ['BUILD_UNKNOWN', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'read',
  lane: 'stream',
})

export const stopBuild = operation({
  id: 'stopBuild',
  method: 'PUT',
  path: '/builds/{build}/stopped',
  summary: 'Stop a build; nothing of it is left',
  description: 'A build that has ended is stopped already.',
  params: buildParams,
  query: nothing,
  reply: { kind: 'none' },
  errors: ['BUILD_UNKNOWN', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})
