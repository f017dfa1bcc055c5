/** What a build is: what is asked for, and what comes of it. */
import type { ImageName, RequestId } from '../../api/index.ts'
import type { BuildSource, EnvironmentVariable } from '../../formats/index.ts'

export interface BuildRequest {
  readonly id: RequestId
  readonly source: BuildSource
  /** The builder image. */
  readonly image: ImageName
  /** The name of the image that is made. */
  readonly tag: ImageName
  /** Takes nothing over from the image that has the name now. */
  readonly isClean: boolean
  /** Removes the image that had the name before. */
  readonly isPreviousRemoved: boolean
  readonly variables: readonly EnvironmentVariable[]
  readonly scriptsUrl: string | undefined
  readonly callbackUrl: string | undefined
  readonly network: string | undefined
  /** Of the builder containers; 0 for no limit. */
  readonly memoryBytes: number
  readonly cpus: number
  readonly pids: number
  /** Whether addresses of this host may be fetched and files of it cloned: so for callers on this host. */
  readonly mayReachHost: boolean
  readonly isVerbose: boolean
}

export interface Built {
  readonly imageId: string
  /** Of a git source. */
  readonly commit: string | undefined
  readonly isIncremental: boolean
}

/** Names of a build's containers, of their volumes too. They cannot be those of an id. */
export function containersOf(id: RequestId): { readonly save: string; readonly assemble: string } {
  return { save: `gear-build-${id}-save`, assemble: `gear-build-${id}-assemble` }
}
