/** The journal by way of journalctl, and systemctl for the status text: the two tools whose output people know. */
import { limits, type UnitName } from '../../api/index.ts'
import { commandFailed } from '../commands/errors.ts'
import type { Commands } from '../commands/port.ts'
import { startTool } from '../commands/process.ts'
import { linesOf } from './lines.ts'
import type { Journal, JournalQuery } from './port.ts'

/** What journalctl says on standard error is for a message, not for keeping. */
const complaintBytes = 4096

export function journalctlJournal(commands: Commands): Journal {
  return { lines, statusText: unit => statusText(commands, unit) }
}

async function* lines(query: JournalQuery, signal: AbortSignal): AsyncGenerator<string, void> {
  if (signal.aborted) return
  const args = journalctlArguments(query, Date.now())
  const child = startTool('journalctl', args)
  const ended = Promise.withResolvers<Error | undefined>()
  child.once('error', ended.resolve)
  child.once('exit', () => ended.resolve(undefined))
  // SIGKILL: it only reads, and a stopped one has to go as well
  const kill = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, complaintBytes)
  })
  try {
    // the pipe is read only as lines are taken, so a slow reader stops the child
    for await (const line of linesOf(child.stdout, limits.logLineBytes)) {
      if (signal.aborted) return
      if (!isPodmansOwn(line)) yield line
    }
    const failure = await ended.promise
    if (signal.aborted) return
    if (failure !== undefined) throw commandFailed('journalctl', args, failure)
    if (child.exitCode !== 0) throw commandFailed('journalctl', args, new Error(complaint.trim() || `it ended with ${child.exitCode}`))
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
    await ended.promise
  }
}

async function statusText(commands: Commands, unit: UnitName): Promise<string> {
  const args = ['status', '--no-pager', '--full', unit]
  const { exitCode, stdout, stderr } = await commands.run('systemctl', args)
  // 0 active, 3 not active, 4 unknown: all are a status (systemctl(1), EXIT STATUS)
  if (![0, 3, 4].includes(exitCode)) throw commandFailed('systemctl', args, new Error(stderr.trim()))
  const text = stdout === '' ? stderr : stdout
  return text
    .split('\n')
    .filter(line => !isPodmansOwn(line))
    .join('\n')
}

/** Podman writes an empty line into the log of a container when it makes one. */
export function isPodmansOwn(line: string): boolean {
  return line.endsWith(']: ') && /^\S+ +\d+ \S+ \S+ podman\[\d+\]: $/.test(line)
}

/** Now is when we ask, not when journalctl has started: what is written between is not to be missed. */
export function journalctlArguments(query: JournalQuery, nowMs: number): readonly string[] {
  return [
    '--quiet',
    '--no-pager',
    '--output=short',
    `--unit=${query.unit}`,
    ...(query.since === undefined ? [] : [`--since=${query.since === 'now' ? `@${nowMs / 1000}` : query.since}`]),
    // said in any case: following shows ten past lines unless told otherwise
    `--lines=${query.lines ?? 'all'}`,
    ...(query.isFollowing ? ['--follow'] : []),
  ]
}
