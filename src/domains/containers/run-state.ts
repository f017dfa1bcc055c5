/**
 * What the helpers in `libexec/` leave in `$RUN/<aa>/ID`: the engine's id of the running container, and how the last run ended. They write these at every
 * start and end, with or without an agent; this only reads.
 */
import type { Host } from '../../host/index.ts'
import type { ContainerPaths } from '../layout/index.ts'

export interface LastExit {
  readonly exitCode: number | undefined
  readonly oomKilled: boolean
  /**
   * `exited` or `stopped` (on request); or why it did not start: `image-missing`, `pull-failed`, `pull-stalled`, `rate-limited`, `port-taken`,
   * `name-taken`, `isolation-failed`, `no-user-numbers`, `other-numbers`, `links-failed`,
   * `run-failed`, `storage-damaged`, `start-timeout`; or who ended it: `engine-away`, `waiter-lost`.
   */
  readonly reason: string
  /** systemd's word for the result of the run. */
  readonly result: string
  /** One line of whoever refused. */
  readonly message: string
  readonly finishedAt: string | undefined
}

export interface RunState {
  readonly containerId: string | undefined
  readonly lastExit: LastExit | undefined
}

const runFileBytes = 65_536

export async function readRunState({ files }: Pick<Host, 'files'>, paths: ContainerPaths): Promise<RunState> {
  const [containerId, lastExit] = await Promise.all([
    files.read(`${paths.run}/container-id`, runFileBytes),
    files.read(`${paths.run}/last-exit`, runFileBytes),
  ])
  const id = containerId?.trim()
  return {
    containerId: id !== undefined && /^[0-9a-f]{64}$/.test(id) ? id : undefined,
    lastExit: lastExit === undefined ? undefined : parseLastExit(lastExit),
  }
}

/** Whether the quota of its account is enforced, or why not, as its last start found; undefined when it has none. */
export async function readQuota({ files }: Pick<Host, 'files'>, paths: ContainerPaths): Promise<string | undefined> {
  return (await files.read(`${paths.run}/quota`, runFileBytes))?.trim().replaceAll(/\p{Cc}/gu, '?')
}

/** The SELinux label of the container's first process, undefined when it is not known or has none. */
export async function readLabel({ files }: Pick<Host, 'files'>, paths: ContainerPaths): Promise<string | undefined> {
  const label = await readOfProcess(files, paths, 'attr/current')
  return label?.replace(/[\0\n]+$/, '').replaceAll(/\p{Cc}/gu, '?') || undefined
}

/** `first-last`, in order, of the numbers of the host that users of the container have; undefined when it has no user namespace of its own. */
export async function readUserNumbers({ files }: Pick<Host, 'files'>, paths: ContainerPaths): Promise<string | undefined> {
  return parseUserMap((await readOfProcess(files, paths, 'uid_map')) ?? '')
}

/** From the uid_map of a process (user_namespaces(7)): lines of the first number inside, the first outside, and how many. */
function parseUserMap(text: string): string | undefined {
  const ranges = [...text.matchAll(/^ *\d+ +(\d+) +(\d+)$/gm)].map(([, first = '', count = '']) => ({
    first: Number(first),
    count: Number(count),
  }))
  if (ranges.some(({ first }) => first === 0)) return undefined
  return ranges.map(({ first, count }) => `${first}-${first + count - 1}`).join(',') || undefined
}

/** A file of `/proc` about the container's first process, by the pid that its start helper left. */
async function readOfProcess(files: Host['files'], paths: ContainerPaths, name: string): Promise<string | undefined> {
  const pid = (await files.read(`${paths.run}/pid`, runFileBytes))?.trim() ?? ''
  return /^[1-9]\d*$/.test(pid) ? await files.read(`/proc/${pid}/${name}`, runFileBytes) : undefined
}

/** `Key=value` lines; unknown keys are passed over. */
export function parseLastExit(text: string): LastExit {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1))
  }
  const exitCode = values.get('ExitCode') ?? ''
  return {
    exitCode: /^\d{1,3}$/.test(exitCode) ? Number(exitCode) : undefined,
    oomKilled: values.get('OOMKilled') === 'true',
    reason: values.get('Reason') ?? 'exited',
    result: values.get('Result') ?? '',
    // Partly in an image's words (the user it names, for one), which reach terminals.
    message: (values.get('Message') ?? '').replaceAll(/\p{Cc}/gu, '?'),
    finishedAt: values.get('FinishedAt') || undefined,
  }
}
