/** A command in a container of Docker: made, begun over a connection that is its input and output, and asked for its end. */
import type { Socket } from 'node:net'
import { recordOf, textOf } from './answers.ts'
import { type Call, type DockerApi, expectSuccess } from './docker-api.ts'
import { engineFailed, NoAnswer, understood } from './errors.ts'
import { hangUp } from './exec.ts'
import type { EngineCommand, EngineOutput, EngineProcess } from './port.ts'

export async function execByDocker(
  api: DockerApi,
  container: string,
  { words, user, terminal, hasInput }: EngineCommand,
): Promise<EngineProcess> {
  const attempted = `run ${words[0]} in container ${container}`
  const hasTerminal = terminal !== undefined
  const body = {
    AttachStdin: hasInput,
    AttachStdout: true,
    AttachStderr: !hasTerminal,
    Tty: hasTerminal,
    Cmd: words,
    User: user,
    ...(hasTerminal ? { Env: ['TERM=xterm'] } : {}),
  }
  const create: Call = { method: 'POST', path: `/containers/${encodeURIComponent(container)}/exec`, attempted, body }
  const made = expectSuccess(create, await api.call(create))
  const id = understood(attempted, () => textOf(recordOf(made.body, 'the answer')['Id'], 'Id'))
  const socket = await api.connect(`/exec/${id}/start`, { Detach: false, Tty: hasTerminal }, attempted)
  const inspect = async () => recordOf(await api.find({ method: 'GET', path: `/exec/${id}/json`, attempted }), 'the answer')
  const resize: EngineProcess['resize'] = async ({ columns, rows }) =>
    // It may have ended meanwhile, which its exit code tells.
    void (await api.call({ method: 'POST', path: `/exec/${id}/resize?h=${rows}&w=${columns}`, attempted }))
  if (hasTerminal) await resize(terminal)
  // Docker takes the connection before containerd, which may hang, has begun.
  let hasBegun = true
  const look = async (): Promise<void> => {
    const { ExitCode: code, Pid: pid } = await inspect()
    hasBegun = typeof code === 'number' || (typeof pid === 'number' && pid > 0)
    if (!hasBegun) socket.destroy()
  }
  const timer = setTimeout(() => void look().catch(() => undefined), api.callMs)
  socket.once('close', () => clearTimeout(timer))
  const requireBegun = (): void => {
    if (!hasBegun) throw api.unavailable(new NoAnswer(api.callMs))
  }
  async function* output(): AsyncGenerator<EngineOutput> {
    try {
      yield* outputsOf(socket, hasTerminal)
    } catch (error) {
      requireBegun()
      throw error
    }
  }
  let isClosed = false
  return {
    output: output(),
    write: async bytes => (hasInput ? written(socket, bytes) : undefined),
    end: () => (hasInput ? void socket.end() : undefined),
    resize,
    exitCode: async () => {
      requireBegun()
      for (let looks = 1; ; looks++) {
        const { ExitCode: code, Running: isRunning } = await inspect()
        if (isRunning !== true && typeof code === 'number') return code
        // The output ends a moment before the engine has noted the end.
        if (looks === exitLooksMax) throw engineFailed(attempted, new Error('it does not say how it ended'))
        await new Promise(resolve => setTimeout(resolve, looks))
      }
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      socket.destroy()
      const { Pid: pid, Running: isRunning } = await inspect()
      if (isRunning === true && typeof pid === 'number') hangUp(pid)
    },
  }
}

/** After the end of the output, a millisecond longer apart each time: five seconds in all. */
const exitLooksMax = 100

const headBytes = 8

/**
 * The outputs of a command without a terminal, which Docker sends in frames: a byte for the stream, three of nothing, four for the length
 * (Docker Engine API, attach). With a terminal everything is its output.
 */
async function* outputsOf(pieces: AsyncIterable<Buffer>, hasTerminal: boolean): AsyncGenerator<EngineOutput> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    if (hasTerminal) {
      yield { stream: 'stdout', bytes: piece }
      continue
    }
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    while (rest.length >= headBytes) {
      const length = rest.readUInt32BE(4)
      if (rest.length < headBytes + length) break
      yield { stream: rest.readUInt8() === 2 ? 'stderr' : 'stdout', bytes: rest.subarray(headBytes, headBytes + length) }
      rest = rest.subarray(headBytes + length)
    }
  }
}

/** Resolves when the connection takes more, or is gone. */
function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed || socket.writableEnded) resolve()
    else socket.write(bytes, () => resolve())
  })
}
