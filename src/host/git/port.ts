/**
 * The port to git: for what is done with the bare repositories of this host, and for the working copies that are built. Nothing of a repository is
 * executed: no hooks, no filters, no transports that are commands; git sees nothing of our environment and none of the host's configuration. In a bare repository it
 * never runs as root: git obeys the configuration of the repository it works in, so it runs as the account that owns it.
 */
import type { ArchiveFormat, GitRef } from '../../api/index.ts'
import type { CloneSource } from '../../formats/index.ts'

export interface RepositoryPlace {
  /** Of the bare repository. */
  readonly path: string
  /** Name of the account that owns it; undefined for our own, which only tests use. */
  readonly account: string | undefined
  /** Whether git runs in the container that the repository's record names, for what comes of it to callers. */
  readonly isInContainer?: boolean
}

export interface CreateOptions {
  /** Whether an http source may lead git to another address; as git has it, unless said otherwise. */
  readonly mayRedirect?: boolean
}

export interface CloneRequest {
  /** An address that `parseBuildSource` took: https, http, ssh, git or file, or `user@host:path`. */
  readonly address: string
  /** Branch, tag or commit; what the repository's HEAD names unless given. */
  readonly ref?: string
  /** Is made, and must not be there. */
  readonly into: string
  /** Whether a `file:` address is taken. Submodules never come from files. */
  readonly mayReadFiles: boolean
  readonly signal: AbortSignal
  /** Told what git says, in any pieces. */
  readonly say: (text: string) => unknown
}

/** Errors: COMMAND_FAILED with what git said; SOURCE_FAILED of a clone. */
export interface Git {
  /** The id of the commit a ref stands for; undefined when the repository has none of this name. */
  commitOf(place: RepositoryPlace, ref: GitRef): Promise<string | undefined>
  /** Throws unless git runs where it is to run, and takes the repository for one. */
  probe(place: RepositoryPlace): Promise<void>
  /** The files of a commit, packed. Begun when the first piece is asked for; leaving the loop ends git. A slow reader slows git down. */
  archive(place: RepositoryPlace, what: { readonly commit: string; readonly format: ArchiveFormat }): AsyncIterable<Uint8Array>
  /** Writes the files of a commit into a folder that belongs to the account and is empty. Links in them are made as they are. */
  checkOut(place: RepositoryPlace, what: { readonly commit: string; readonly folder: string }): Promise<void>
  /**
   * Makes a bare repository in the folder, which is there and empty: a new one, or a clone. What git says comes in lines. The hooks and the
   * configuration of a source do not come along. The default branch of a new one is `main`.
   */
  create(place: RepositoryPlace, source: CloneSource | undefined, options?: CreateOptions): AsyncIterable<string>
  /**
   * Makes a working copy with submodules, without history where the other side can, and answers the commit. After a failure or an abort there may be
   * a part of it in the folder.
   */
  clone(request: CloneRequest): Promise<string>
}
