/**
 * The port to git, for what the agent itself does with bare repositories. git never runs as root: it obeys the configuration of the repository it
 * works in, so it runs as the account that owns it, with nothing of our environment and none of the host's git configuration.
 */
import type { ArchiveFormat, GitRef } from '../../api/index.ts'
import type { CloneSource } from '../../formats/index.ts'

export interface RepositoryPlace {
  /** Of the bare repository. */
  readonly path: string
  /** Name of the account that owns it; undefined for our own, which only tests use. */
  readonly account: string | undefined
}

export interface CreateOptions {
  /** Whether an http source may lead git to another address; as git has it, unless said otherwise. */
  readonly mayRedirect?: boolean
}

/** Errors: COMMAND_FAILED with what git said. */
export interface Git {
  /** The id of the commit a ref stands for; undefined when the repository has none of this name. */
  commitOf(place: RepositoryPlace, ref: GitRef): Promise<string | undefined>
  /** The files of a commit, packed. Begun when the first piece is asked for; leaving the loop ends git. A slow reader slows git down. */
  archive(place: RepositoryPlace, what: { readonly commit: string; readonly format: ArchiveFormat }): AsyncIterable<Uint8Array>
  /** Writes the files of a commit into a folder that belongs to the account and is empty. Links in them are made as they are. */
  checkOut(place: RepositoryPlace, what: { readonly commit: string; readonly folder: string }): Promise<void>
  /**
   * Makes a bare repository in the folder, which is there and empty: a new one, or a clone. What git says comes in lines. The hooks and the
   * configuration of a source do not come along. The default branch of a new one is `main`.
   */
  create(place: RepositoryPlace, source: CloneSource | undefined, options?: CreateOptions): AsyncIterable<string>
}
