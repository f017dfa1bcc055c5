/**
 * The port to the container engines, Docker and Podman as equals: what gear asks of them at install, delete and in reports. Starting and stopping
 * containers is not here: units do that with the helpers in `libexec/`, without the agent.
 */
import type { EngineKind, FileKind } from '../../api/index.ts'

export interface EngineContainer {
  /** Full id, 64 hex digits. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly isRunning: boolean
  /** Process id of the container's init, 0 when it does not run. */
  readonly pid: number
  /** Image id the container was made from (`sha256:…`). */
  readonly imageId: string
  /** Names of the anonymous volumes it has, also of those that another container had first. */
  readonly volumes: readonly string[]
  /** The numbers of a user namespace of its own; empty when its users have those of the host. */
  readonly numbers: readonly NumberRange[]
}

/** `count` numbers of users and groups from `inside` on are, on the host, those from `outside` on. */
export interface NumberRange {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

export interface EngineImage {
  /** `sha256:…` */
  readonly id: string
  readonly tags: readonly string[]
  /** Digests it was pulled by, `name@sha256:…`; empty for images made here. */
  readonly digests: readonly string[]
}

/**
 * Errors: ENGINE_UNAVAILABLE (nothing listens, or no answer in time) and ENGINE_FAILED (it answered with a failure; the message
 * quotes it). Not found is `undefined`, not an error.
 */
export interface Engine {
  readonly kind: EngineKind
  /** By name or id. */
  container(name: string): Promise<EngineContainer | undefined>
  image(name: string): Promise<EngineImage | undefined>
  /** All tagged images (no intermediate layers), in the engine's order. A tag is given in full, `busybox:latest`. */
  images(): Promise<readonly EngineImage[]>
  /**
   * Removes a container, killing it if it runs, with its anonymous volumes only if asked, and then without those that another container has
   * too; returns when it is gone. A missing one is no error.
   * Whether it is gear's to remove, its labels tell: ask `container` first, and give the id it answered with.
   */
  removeContainer(name: string, options: { readonly withVolumes: boolean }): Promise<void>
  ping(): Promise<void>
  /** Runs a command in a running container, with its control group, capabilities and filters. A program that is not there is one that ends with 126 or 127. */
  exec(container: string, command: EngineCommand): Promise<EngineProcess>
  /** What is at an absolute path of a running container. Here as below, links in the path are followed, within the container. */
  fileKind(container: string, path: string): Promise<FileKind | undefined>
  /**
   * A tar of it, as it is taken: first the file or folder under its own name, then what is in it. The root folder may come without itself. Owners are
   * numbers of the host; on podman everything belongs to the user of the container.
   * Leaving the loop ends the work, and so does the signal, also before anything is taken; a call that it finds under way
   * rejects with its reason.
   */
  readFiles(container: string, path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>
  /**
   * Unpacks a tar, with the owners it names. False when the folder is none. A tar that throws ends the work, and what was unpacked stays; one that is
   * cut off is ENGINE_FAILED.
   */
  writeFiles(container: string, folder: string, tar: AsyncIterable<Uint8Array>): Promise<boolean>
}

export interface EngineCommand {
  readonly words: readonly string[]
  /** In the container; empty for the container's own. */
  readonly user: string
  readonly terminal: TerminalSize | undefined
  /** Without it, what is written goes nowhere and a read finds the end. */
  readonly hasInput: boolean
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface EngineOutput {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

/** A command that runs in a container. */
export interface EngineProcess {
  /** To be read once; ends when the command has ended and all it wrote has come. */
  readonly output: AsyncIterable<EngineOutput>
  /** Resolves when more is taken. */
  write(bytes: Uint8Array): Promise<void>
  /** There is no more input. */
  end(): void
  /** Does not wait until the command has its terminal; that of one that has ended has no size. */
  resize(size: TerminalSize): Promise<void>
  /** Once the output has ended. */
  exitCode(): Promise<number>
  /** Hangs up: the command is told, and ended when it does not end. Calling it again does nothing. */
  close(): Promise<void>
}

/** The engines of a host. Which one a container is on never changes; its unit file says it. */
export interface Engines {
  of(kind: EngineKind): Engine
  /** The engine of containers for which nobody names one: the configured one; else docker where its socket answers, and podman where not. */
  choose(): Promise<Engine>
}
