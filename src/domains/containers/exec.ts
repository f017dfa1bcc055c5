/** Running a command in a container, for people and programs: the engine's exec, as the account of the container where it has one. */
import { type ContainerId, type ExecIn, loginOf, type Session, type SessionInput, type SessionOutput } from '../../api/index.ts'
import { readUnitMetadata } from '../../formats/index.ts'
import type { EngineProcess, Host } from '../../host/index.ts'
import { runningContainer } from './running.ts'

/** Throws CONTAINER_UNKNOWN and CONTAINER_NOT_RUNNING. The signal ends the session. */
export async function execIn(
  host: Pick<Host, 'files' | 'paths' | 'engines' | 'accounts'>,
  id: ContainerId,
  request: ExecIn,
  signal: AbortSignal,
): Promise<Session> {
  const [{ engine, container, unitText }, account] = await Promise.all([
    runningContainer(host, id),
    host.accounts.find(loginOf('container', id)),
  ])
  const user = request.user === '' && account !== undefined && isIsolated(unitText) ? `${account.uid}:${account.gid}` : request.user
  const terminal = request.terminal ? { columns: request.columns, rows: request.rows } : undefined
  return sessionOf(await engine.exec(container.id, { words: request.command, user, terminal, hasInput: request.input }), signal)
}

function isIsolated(unitText: string): boolean {
  return readUnitMetadata(unitText).get('X-ContainerType')?.[0] === 'isolated'
}

function sessionOf(running: EngineProcess, signal: AbortSignal): Session {
  const close = (): void => void running.close().catch(() => undefined)
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  return { output: outputOf(running, () => signal.removeEventListener('abort', close)), write: input => write(running, input), close }
}

async function* outputOf(running: EngineProcess, done: () => void): AsyncGenerator<SessionOutput> {
  try {
    for await (const { stream, bytes } of running.output) yield { kind: stream, bytes }
    yield { kind: 'exit', exitCode: await running.exitCode() }
  } finally {
    done()
  }
}

async function write(running: EngineProcess, input: SessionInput): Promise<void> {
  switch (input.kind) {
    case 'input':
      return running.write(input.bytes)
    case 'end':
      return running.end()
    case 'size':
      return running.resize(input)
  }
}
