/**
 * What a host keeps of a build that an agent was asked for: a folder with its record, its output and, while it has not ended, what was asked
 * for (which may hold secrets). Written by the agent at the beginning and by the build itself at its end.
 */
import { createHash } from 'node:crypto'
import type { RequestId, UnitName } from '../../api/index.ts'
import type { Host, Paths } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'

export type BuildResult = 'running' | 'built' | 'failed' | 'stopped'

export interface BuildRecord {
  readonly version: 1
  /** Of the request, so that another one under the same id is found out. */
  readonly digest: string
  readonly source: string
  readonly ref?: string | undefined
  readonly baseImage: string
  readonly tag: string
  readonly result: BuildResult
  /** Its turn has not come: there is no unit yet. It is told as `waiting`; its result here is `running` all the same, which earlier agents understand. */
  readonly isWaiting?: boolean
  readonly startedAt: string
  readonly finishedAt?: string
  readonly imageId?: string
  readonly commit?: string | undefined
  readonly incremental?: boolean
  readonly code?: string
  readonly cause?: string
  readonly lines?: readonly string[]
}

type StoreHost = Pick<Host, 'files' | 'paths'>

export function buildsFolder({ base }: Pick<Paths, 'base'>): string {
  return `${base}/builds`
}

/** Where the folders of running builds are made, for those of root. */
export function workRoot(paths: Pick<Paths, 'base'>): string {
  return `${buildsFolder(paths)}/work`
}

/** The same, from the folder of one build. */
export function workRootBeside(folder: string): string {
  return `${folder.slice(0, folder.lastIndexOf('/'))}/work`
}

export function buildFolder(paths: Pick<Paths, 'base'>, id: RequestId): string {
  return `${buildsFolder(paths)}/${id}`
}

/** The 22 characters of the request id, encoded once more (spec §1.3). */
export function unitIdOf(id: RequestId): string {
  return Buffer.from(id, 'latin1').toString('base64url')
}

export function buildUnit(id: RequestId): UnitName {
  return `build-${unitIdOf(id)}.service` as UnitName
}

export function digestOf(request: Omit<BuildRequest, 'id'>): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64url')
}

export async function readRecord({ files }: Pick<Host, 'files'>, folder: string): Promise<BuildRecord | undefined> {
  const text = await files.read(`${folder}/record.json`)
  return text === undefined ? undefined : (JSON.parse(text) as BuildRecord)
}

export function writeRecord({ files }: Pick<Host, 'files'>, folder: string, record: BuildRecord): Promise<void> {
  return files.write(`${folder}/record.json`, `${JSON.stringify(record, undefined, 2)}\n`, 0o600)
}

export async function readRequest({ files }: Pick<Host, 'files'>, folder: string): Promise<BuildRequest | undefined> {
  const text = await files.read(`${folder}/request.json`, requestBytesMax)
  return text === undefined ? undefined : (JSON.parse(text) as BuildRequest)
}

export function writeRequest({ files }: Pick<Host, 'files'>, folder: string, request: BuildRequest): Promise<void> {
  return files.write(`${folder}/request.json`, JSON.stringify(request), 0o600)
}

const requestBytesMax = 33_554_432

interface KeptBuild {
  readonly id: RequestId
  readonly record: BuildRecord
}

/** All builds that are kept, the oldest first. */
export async function keptBuilds(host: StoreHost): Promise<readonly KeptBuild[]> {
  const ids = await keptIds(host)
  const records = await Promise.all(ids.map(async id => ({ id, record: await readRecord(host, buildFolder(host.paths, id)) })))
  return records
    .flatMap(({ id, record }) => (record === undefined ? [] : [{ id, record }]))
    .sort((one, other) => (one.record.startedAt < other.record.startedAt ? -1 : 1))
}

/** Builds whose turn had not come when an agent ended, the first first. They go on waiting when somebody looks at them. */
export async function waitingBuilds(host: StoreHost): Promise<readonly RequestId[]> {
  return (await keptBuilds(host)).flatMap(({ id, record }) => (record.isWaiting === true ? [id] : []))
}

async function keptIds({ files, paths }: StoreHost): Promise<readonly RequestId[]> {
  const entries = await files.list(buildsFolder(paths))
  return entries.flatMap(({ name, kind }) => (kind === 'directory' && /^[A-Za-z0-9_-]{22}$/.test(name) ? [name as RequestId] : []))
}
