/** The port to the network namespaces of containers: what a program in one of them would find. */
export interface Target {
  /** A name is looked up as the host would do it. */
  readonly host: string
  readonly port: number
}

export interface TargetAnswer {
  readonly answers: boolean
  /** Why not. */
  readonly problem?: string
}

/** Errors: COMMAND_FAILED when the namespace cannot be entered, because the process is gone for example. */
export interface Namespaces {
  /**
   * Tries to connect to each target over TCP from the network namespace of a process, all at once, and closes the connections without a
   * word. Answers in the order of the targets.
   */
  connect(pid: number, targets: readonly Target[], options: { readonly timeoutMs: number }): Promise<readonly TargetAnswer[]>
}
