/** The port to the tools of the host, by a closed list of names: argument lists only, never a shell, a fixed environment of our own. */
export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly signal?: AbortSignal
  /** Longest run, where it is not that of a usual tool. */
  readonly runMs?: number
  /** Added to the fixed environment; never anything a caller sent. */
  readonly variables?: Readonly<Record<string, string>>
}

/** Errors: COMMAND_FAILED when the tool is missing, killed, takes too long or prints too much. A non-zero exit is a value. */
export interface Commands {
  /** An abort kills the tool and rejects with the signal's reason. */
  run(tool: Tool, args: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** Starts a tool that talks for as long as it likes. One that is missing ends with 127. */
  open(tool: Tool, args: readonly string[]): OpenCommand
}

/** A tool that runs. */
export interface OpenCommand {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** To be read once; both outputs in the order in which they come. */
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }>
  readonly exitCode: Promise<number>
  /** Resolves when more is taken. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** There is no more input. */
  readonly end: () => void
}

interface ToolPlace {
  readonly path: string
  readonly package: string
  /** What cannot be done without it, for a tool that the rest does not need. */
  readonly onlyFor?: string
}

/** Every tool gear calls, with the Debian package that has it. `gear daemon --check` reports what is missing. */
export const tools = {
  systemctl: { path: '/usr/bin/systemctl', package: 'systemd' },
  'systemd-run': { path: '/usr/bin/systemd-run', package: 'systemd' },
  'systemd-notify': { path: '/usr/bin/systemd-notify', package: 'systemd' },
  journalctl: { path: '/usr/bin/journalctl', package: 'systemd' },
  flock: { path: '/usr/bin/flock', package: 'util-linux' },
  docker: { path: '/usr/bin/docker', package: 'docker.io' },
  pkill: { path: '/usr/bin/pkill', package: 'procps' },
  setpriv: { path: '/usr/bin/setpriv', package: 'util-linux' },
  podman: { path: '/usr/bin/podman', package: 'podman', onlyFor: 'Podman as the engine' },
  git: { path: '/usr/bin/git', package: 'git', onlyFor: 'git repositories, and builds from them' },
  'ssh-keygen': { path: '/usr/bin/ssh-keygen', package: 'openssh-client', onlyFor: 'git repositories that are cloned by ssh' },
  'ssh-keyscan': { path: '/usr/bin/ssh-keyscan', package: 'openssh-client', onlyFor: 'git repositories that are cloned by ssh' },
  tar: { path: '/usr/bin/tar', package: 'tar' },
  curl: { path: '/usr/bin/curl', package: 'curl' },
  runuser: { path: '/usr/sbin/runuser', package: 'util-linux' },
  'pull-image': { path: '/usr/lib/gear/libexec/pull-image', package: 'gear' },
  'make-account': { path: '/usr/lib/gear/libexec/make-account', package: 'gear' },
  'githost-git': { path: '/usr/lib/gear/libexec/githost-git', package: 'gear' },
  'podman-commit': { path: '/usr/lib/gear/libexec/podman-commit', package: 'gear' },
  'original-init': { path: '/usr/lib/gear/libexec/original-init', package: 'gear' },
  'write-authorized-keys': { path: '/usr/lib/gear/libexec/write-authorized-keys', package: 'gear' },
  'end-logins': { path: '/usr/lib/gear/libexec/end-logins', package: 'gear' },
  useradd: { path: '/usr/sbin/useradd', package: 'passwd' },
  userdel: { path: '/usr/sbin/userdel', package: 'passwd' },
  chown: { path: '/usr/bin/chown', package: 'coreutils' },
  nsenter: { path: '/usr/bin/nsenter', package: 'util-linux' },
  'iptables-restore': { path: '/usr/sbin/iptables-restore', package: 'iptables' },
} as const satisfies Record<string, ToolPlace>

export type Tool = keyof typeof tools

/** All a tool gets to see: nothing of the agent's own environment, messages in English, lines not cut to a terminal's width. */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  COLUMNS: '2000',
}
