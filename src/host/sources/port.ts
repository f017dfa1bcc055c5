/** The port to source code in git repositories: bringing one state of one repository to a folder of this host. */

export interface CloneRequest {
  /** An address that `parseSource` took: https, http, ssh, git or file, or `user@host:path`. */
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

/** Errors: SOURCE_FAILED with what git said. */
export interface Sources {
  /**
   * Clones with submodules, without history where the other side can, and answers the commit. Nothing of the repository is executed: no hooks, no
   * filters, no transports that are commands; nothing of the administrator's git configuration is used. After a failure or an abort there may be
   * a part of it in the folder.
   */
  clone(request: CloneRequest): Promise<string>
}
