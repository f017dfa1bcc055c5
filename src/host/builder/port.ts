/**
 * The port to the engine as a builder of images: containers that are filled, run once and committed. Apart from `Engine`, which looks after
 * containers that units run: here there is a command that streams, and no unit.
 */

/** What a build needs to know of an image. */
export interface BuilderImage {
  /** `sha256:…` */
  readonly id: string
  /** Empty for root. */
  readonly user: string
  /** `NAME=VALUE` */
  readonly environment: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

export interface BuildContainer {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  /** The image's own unless given. */
  readonly user?: string
  /** File with one `NAME=VALUE` a line. */
  readonly variablesFile?: string
  /** A volume is there: what is in it is not part of what is committed. */
  readonly workFolder: string
  /** Such as `container-small.slice`. */
  readonly slice: string
  /** 0 for no limit. */
  readonly memoryBytes: number
  readonly cpus: number
  readonly pids: number
  /** `none`, or a network of the engine; its default unless given. */
  readonly network?: string
}

/** A folder of the host that becomes one of the container. */
export interface Tree {
  readonly folder: string
  /** Name in the container, relative. */
  readonly as: string
  /** Only this entry of the folder. */
  readonly only?: string
  /** Paths in the folder that are left out, letter by letter. */
  readonly without: readonly string[]
  /** Entries of these names are left out wherever they are. */
  readonly withoutNamed: readonly string[]
}

/** Whose files are, in the container. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** What is copied below a folder of a container that exists. */
export interface Goods {
  readonly below: string
  /** Files, folders and links of the host under their own names. */
  readonly parts?: readonly { readonly folder: string; readonly names: readonly string[] }[]
  readonly tree?: Tree
  readonly owner: Owner
  readonly signal: AbortSignal
}

/** How a container ended. */
export interface BuildRun {
  readonly exitCode: number
  /** The kernel killed something in it for want of memory. */
  readonly isOutOfMemory: boolean
  /** It printed a tar, which is in the container that was named. */
  readonly isUnpacked: boolean
}

/** Where what a container prints goes, if it is a tar. Owners are as the tar says. */
export interface Unpacking {
  /** It exists, and need not run. */
  readonly container: string
  /** A folder of it. */
  readonly folder: string
  /** A longer tar is BUILD_FAILED. */
  readonly maxBytes: number
}

export interface Streams {
  readonly signal: AbortSignal
  /** Told what is printed, as it comes, in any pieces. A promise that it answers is waited for before more is read. */
  readonly say: (text: string) => unknown
}

export interface Commit {
  readonly name: string
  readonly command: readonly string[]
  /** Empty for root; the container's own unless given. */
  readonly user?: string
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Errors: ENGINE_UNAVAILABLE (the engine does not answer) and ENGINE_FAILED (it answered with a failure; the message quotes it), COMMAND_FAILED
 * when its tool is missing; of a pull PULL_STALLED and PULL_RATE_LIMITED as well. Aborts reject with the reason of the signal; `create`, `commit` and removals are carried through.
 */
export interface Builder {
  image(name: string): Promise<BuilderImage | undefined>
  pull(name: string, streams: Streams): Promise<void>
  create(container: BuildContainer): Promise<void>
  put(container: string, goods: Goods): Promise<void>
  /** Copies a folder from one container below a folder of another. */
  hand(
    from: { readonly container: string; readonly folder: string },
    to: { readonly container: string; readonly below: string; readonly signal: AbortSignal },
  ): Promise<void>
  /** Names in a folder of a container that need not run; undefined when it is not there. */
  list(container: string, folder: string): Promise<readonly string[] | undefined>
  /** The text of a file of a container that need not run, up to `maxBytes`; undefined when it is not there. */
  read(container: string, path: string, maxBytes: number): Promise<string | undefined>
  /** Runs the container to its end. With `into`, a tar on its standard output is unpacked there as it comes; anything else is said. */
  run(container: string, streams: Streams & { readonly into?: Unpacking }): Promise<BuildRun>
  /** Makes an image of a container that has ended; the id of the image. */
  commit(container: string, commit: Commit): Promise<string>
  /** False when something still needs the image. A missing one is no error. */
  removeImage(id: string): Promise<boolean>
  /** Removes containers, running or not, with their volumes. Missing ones are no error. */
  remove(containers: readonly string[]): Promise<void>
}
