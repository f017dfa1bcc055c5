/**
 * The model of a container: what is to be installed, and what an installed unit file says of it. Pure. The unit file is the record: its
 * metadata keys (spec §6.1, and `X-Gear…` of our own) are all that is kept of a container.
 */
import type { ContainerId, EngineKind, EnvironmentId, ImageName, InstallContainer, PortPair, RequestId } from '../../api/index.ts'
import { readUnitMetadata, readUnitPortPairs } from '../../formats/index.ts'
import { engineOfUnit } from '../layout/index.ts'
import { type Hardening, hardeningOf } from './hardening.ts'

/** Everything a unit file is made from. */
export interface ContainerSpec {
  readonly id: ContainerId
  readonly requestId: RequestId
  readonly engine: EngineKind
  readonly image: ImageName
  readonly ports: readonly PortPair[]
  /** Publish the image's own ports on ports the engine picks. */
  readonly publishAll: boolean
  /** Runs as an account of its own on the host. */
  readonly isIsolated: boolean
  readonly environment: EnvironmentId | undefined
  readonly volumes: readonly string[]
  readonly mounts: readonly Mount[]
  readonly slice: string
  /** 0 for no limit. */
  readonly memoryBytes: number
  /** 0 for no limit. */
  readonly cpus: number
  /** 0 for no limit. */
  readonly pids: number
  readonly restart: RestartPolicy
  readonly hardening: Hardening
  /** Of the files of its account; 0 for no limit. */
  readonly quotaBytes: number
}

export interface Mount {
  readonly hostPath: string
  readonly containerPath: string
  readonly isReadOnly: boolean
}

export type RestartPolicy = InstallContainer['restart']

const mebibyte = 1024 * 1024

/** Memory per container of the size classes; `container` itself has none. */
export const memoryOfSlice: Readonly<Record<string, number>> = { 'container-small': 512 * mebibyte, 'container-large': 1024 * mebibyte }

/** Where an install puts a container that names no slice. */
export const defaultSlice = 'container-small'

/** The spec of a request, its ports decided. Environments with neither id nor content are none. */
export function specOf(
  id: ContainerId,
  request: InstallContainer,
  decided: { readonly requestId: RequestId; readonly engine: EngineKind; readonly ports: readonly PortPair[] },
): ContainerSpec {
  return {
    id,
    requestId: decided.requestId,
    engine: decided.engine,
    image: request.image,
    ports: decided.ports,
    publishAll: request.simple && decided.ports.length === 0,
    isIsolated: request.isolate,
    environment: request.environment?.id,
    volumes: request.volumeConfig?.volumes.map(volume => volume.path) ?? [],
    // On the wire the first field of a mount is called Path and holds the host's side (spec §2.4).
    mounts:
      request.volumeConfig?.volumeMounts.map(mount => ({
        hostPath: mount.path,
        containerPath: mount.hostPath,
        isReadOnly: mount.readOnly,
      })) ?? [],
    slice: request.systemdSlice,
    memoryBytes: request.memory ?? memoryOfSlice[request.systemdSlice] ?? 0,
    cpus: request.cpus ?? 0,
    pids: request.pids ?? 0,
    restart: request.restart,
    hardening: hardeningOf(request),
    quotaBytes: request.quota ?? 0,
  }
}

/** What the metadata of an installed unit says. */
export interface InstalledContainer {
  readonly engine: EngineKind
  readonly image: string
  readonly requestId: string
  readonly ports: readonly PortPair[]
  readonly environment: string | undefined
  /** With its suffix: `container-small.slice`. */
  readonly slice: string
  /** The memory limit; undefined for none. */
  readonly memoryBytes: number | undefined
}

export function readInstalled(unitText: string): InstalledContainer {
  const metadata = readUnitMetadata(unitText)
  const first = (key: string) => metadata.get(key)?.[0] ?? ''
  const environment = first(environmentKey) || /^EnvironmentFile=\S+\/env\/contents\/[^/\s]+\/(\S+)$/m.exec(unitText)?.[1]
  return {
    engine: engineOfUnit(unitText),
    image: first('X-ContainerImage'),
    requestId: first('X-ContainerRequestId'),
    ports: readUnitPortPairs(unitText),
    environment,
    slice: /^Slice=(\S+)$/m.exec(unitText)?.[1] ?? 'container.slice',
    memoryBytes: Number(first(memoryKey)) || undefined,
  }
}

/** A unit that the original wrote: its process is the client of the engine, which ours never is. */
export function isOfOriginal(unitText: string): boolean {
  return /^ExecStart=\/usr\/bin\/docker run /m.test(unitText)
}

/** Metadata keys of our own: the environment the unit reads, so that a delete finds it (units of the original have its file), and the memory limit, for reports. */
export const environmentKey = 'X-GearEnvironment'
export const memoryKey = 'X-GearMemory'
