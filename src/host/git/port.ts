/**
 * The port to git: for what is done with the bare repositories of this host, and for the working copies that are built. Nothing of a repository is
 * executed: no hooks, no filters, no transports that are commands; git sees nothing of our environment and none of the host's configuration. In a bare repository it
 * never runs as root: git obeys the configuration of the repository it works in, so it runs as the account that owns it.
 */
import type { ArchiveFormat, GitRef } from '../../api/index.ts'
import type { CloneSource, SshKey } from '../../formats/index.ts'

export interface RepositoryPlace {
  /** Of the bare repository. */
  readonly path: string
  /** Name of the account that owns it; undefined for our own, which only tests use. */
  readonly account: string | undefined
  /** Whether git runs in the container that the repository's record names, for what comes of it to callers. */
  readonly isInContainer?: boolean
}

export interface CreateOptions {
  /** Whether addresses of this host and of its local network may be reached, at once or by a redirect. They may unless said otherwise. */
  readonly mayReachHost?: boolean
  /** What an ssh source is reached with; without it, what the account has. */
  readonly ssh?: SshFiles
  /** Told how far a clone is, in git's words, as often as git says it: what is in the lines is only some of it. */
  readonly onProgress?: (state: string) => void
}

/** Files that ssh works with: nothing of the account's own is used beside them. */
export interface SshFiles {
  /** A private key that the account may read. */
  readonly keyPath: string
  /** Its public half as `ssh-ed25519 AAAA… comment`, to be told when the other side does not take it. */
  readonly publicKey: string
  /** Keys of hosts (sshd(8), SSH_KNOWN_HOSTS), beside those that the whole host knows. It need not be there. */
  readonly knownHostsPath: string
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
  /** Whether addresses of this host and of its local network may be reached. When not, submodules come by https and http only. */
  readonly mayReachHost: boolean
  readonly signal: AbortSignal
  /** Told what git says, in any pieces. */
  readonly say: (text: string) => unknown
}

/** A source that is reached by ssh, or might be. */
export type SshSource = Extract<CloneSource, { readonly kind: 'remote' }>

/** Errors: COMMAND_FAILED with what git said; SOURCE_FAILED of a clone. */
export interface Git {
  /** The id of the commit a ref stands for; undefined when the repository has none of this name. */
  commitOf(place: RepositoryPlace, ref: GitRef): Promise<string | undefined>
  /** Throws unless git runs where it is to run, and takes the repository for one. */
  probe(place: RepositoryPlace): Promise<void>
  /** Throws COMMIT_TOO_LARGE when the files of a commit are more, or larger together, than is packed or written out. */
  requireSize(place: RepositoryPlace, commit: string): Promise<void>
  /** The files of a commit, packed. Begun when the first piece is asked for; leaving the loop ends git. A slow reader slows git down. */
  archive(place: RepositoryPlace, what: { readonly commit: string; readonly format: ArchiveFormat }): AsyncIterable<Uint8Array>
  /** Writes the files of a commit into a folder that belongs to the account and is empty. Links in them are made as they are. Throws COMMIT_TOO_LARGE, too. */
  checkOut(place: RepositoryPlace, what: { readonly commit: string; readonly folder: string }): Promise<void>
  /**
   * Makes a bare repository in the folder, which is there and empty: a new one, or a clone. What git says comes in lines. The hooks and the
   * configuration of a source do not come along. The default branch of a new one is `main`.
   */
  create(place: RepositoryPlace, source: CloneSource | undefined, options?: CreateOptions): AsyncIterable<string>
  /** The keys by which the host of an ssh source shows itself now, whoever it may be. Throws SOURCE_FAILED when it shows none. */
  hostKeys(source: SshSource, options: { readonly account: string; readonly mayReachHost: boolean }): Promise<readonly SshKey[]>
  /**
   * Makes a working copy with submodules, without history where the other side can, and answers the commit. After a failure or an abort there may be
   * a part of it in the folder.
   */
  clone(request: CloneRequest): Promise<string>
}
