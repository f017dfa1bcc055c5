/**
 * The agent as a process: what `gear daemon` does. Signals end it in order; an error that belongs to no request ends it at once, and systemd
 * starts it again.
 */
import { explain, GearError, type Handlers } from '../api/index.ts'
import { makeHandlers, prepareHost, undoneRequests } from '../domains/index.ts'
import { type Host, linuxHost } from '../host/index.ts'
import { type AgentFacts, startAgent } from './agent.ts'
import { checkHost, findingsText, isFit } from './check.ts'
import { type Config, type ConfigInput, faultFile, hostPaths, isJournalStream, loadConfig, notifySocket, showConfig } from './config.ts'
import { openLog } from './log.ts'
import { stepLog } from './step-log.ts'

export interface DaemonOptions extends ConfigInput {
  readonly version: string
  readonly mode: 'run' | 'show-config' | 'check'
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

/** Answers the exit code once the agent has ended. Throws `GearError` for a configuration or host it cannot start with. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const loaded = loadConfig(options)
  if (options.mode === 'show-config') {
    options.stdout(showConfig(loaded))
    return 0
  }
  const host = linuxHost({ paths: hostPaths(loaded.config), engine: loaded.config.engine })
  try {
    return options.mode === 'check' ? await check(host, options) : await serveUntilSignal(options, loaded.config, host)
  } finally {
    await host.units.close()
  }
}

async function check(host: Host, { stdout }: DaemonOptions): Promise<number> {
  const findings = await checkHost(host)
  stdout(findingsText(findings))
  return isFit(findings) ? 0 : 1
}

async function serveUntilSignal({ version, stderr }: DaemonOptions, config: Config, host: Host): Promise<number> {
  const log = openLog({ format: config.logFormat, level: config.logLevel, isJournal: isJournalStream(), write: stderr })
  const die = (error: unknown): void => {
    log.error({ stack: error instanceof Error ? error.stack : String(error) }, 'mistake in gear outside any request')
    process.exit(1)
  }
  process.on('uncaughtException', die).on('unhandledRejection', die)
  const onStep = stepLog(host, log, faultFile())
  const handlers = (machine: Host, facts: AgentFacts): Handlers => makeHandlers(machine, { ...facts, onStep })
  try {
    const agent = await startAgent({ config, host, log, version, prepareHost, makeHandlers: handlers, undone: undoneRequests })
    const stop = (signal: string): void => void agent.stop(signal)
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop)
    await tellSystemd(host, 'ready')
    await agent.ended
    return 0
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    log.error({ code: error.code, error: explain(error), next: error.entry.next }, 'could not start')
    return 1
  }
}

/** Tells systemd that callers are served now (sd_notify(3)); nothing when systemd did not start the agent. Node has no datagram sockets of this kind. */
async function tellSystemd({ commands }: Host, state: 'ready'): Promise<void> {
  const socket = notifySocket()
  if (socket === undefined) return
  const { exitCode, stderr } = await commands.run('systemd-notify', [`--${state}`], { variables: { NOTIFY_SOCKET: socket } })
  if (exitCode !== 0) throw new GearError('COMMAND_FAILED', `systemd could not be told that the agent is ${state}: ${stderr.trim()}`)
}
