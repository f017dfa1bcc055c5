/** A command in a container of Docker: made, begun over a connection that is its input and output, and asked for its end. */
import type { Socket } from 'node:net'
import { recordOf, textOf } from './answers.ts'
import { type Call, type DockerApi, expectSuccess } from './docker-api.ts'
import { engineFailed, NoAnswer, understood } from './errors.ts'
import { hangUp } from './exec.ts'
import type { EngineCommand, EngineOutput, EngineProcess, TerminalSize } from './port.ts'

export async function execByDocker(api: DockerApi, container: string, command: EngineCommand): Promise<EngineProcess> {
  const { words, user, terminal, hasInput } = command
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
  const begun = new DockerProcess(api, { id, attempted, socket, hasTerminal, hasInput })
  if (hasTerminal) await begun.resize(terminal)
  return begun
}

interface Begun {
  /** Docker's, of this command. */
  readonly id: string
  readonly attempted: string
  /** The other end of the command. */
  readonly socket: Socket
  readonly hasTerminal: boolean
  readonly hasInput: boolean
}

class DockerProcess implements EngineProcess {
  readonly #api: DockerApi
  readonly #begun: Begun
  readonly output: AsyncIterable<EngineOutput>
  /** Docker takes the connection before containerd, which may hang, has begun. */
  #isHanging = false
  #isClosed = false

  constructor(api: DockerApi, begun: Begun) {
    this.#api = api
    this.#begun = begun
    this.output = this.#outputs()
    const timer = setTimeout(() => void this.#requireBeginning().catch(() => undefined), api.callMs)
    begun.socket.once('close', () => clearTimeout(timer))
  }

  async #requireBeginning(): Promise<void> {
    const { ExitCode: code, Pid: pid } = await this.#inspect()
    this.#isHanging = typeof code !== 'number' && !(typeof pid === 'number' && pid > 0)
    if (this.#isHanging) this.#begun.socket.destroy()
  }

  async *#outputs(): AsyncGenerator<EngineOutput> {
    try {
      yield* outputsOf(this.#begun.socket, this.#begun.hasTerminal)
    } catch (error) {
      throw this.#isHanging ? this.#silence() : error
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#begun.hasInput) await written(this.#begun.socket, bytes)
  }

  end(): void {
    if (this.#begun.hasInput) this.#begun.socket.end()
  }

  /** It may have ended meanwhile, which its exit code tells. */
  async resize({ columns, rows }: TerminalSize): Promise<void> {
    const { id, attempted } = this.#begun
    await this.#api.call({ method: 'POST', path: `/exec/${id}/resize?h=${rows}&w=${columns}`, attempted })
  }

  async exitCode(): Promise<number> {
    if (this.#isHanging) throw this.#silence()
    for (let looks = 1; ; looks++) {
      const { ExitCode: code, Running: isRunning } = await this.#inspect()
      if (isRunning !== true && typeof code === 'number') return code
      // The output ends a moment before the engine has noted the end.
      if (looks === exitLooksMax) throw engineFailed(this.#begun.attempted, new Error('it does not say how it ended'))
      await new Promise(resolve => setTimeout(resolve, looks))
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#begun.socket.destroy()
    const { Pid: pid, Running: isRunning } = await this.#inspect()
    if (isRunning === true && typeof pid === 'number') hangUp(pid)
  }

  async #inspect(): Promise<Readonly<Record<string, unknown>>> {
    const { id, attempted } = this.#begun
    return recordOf(await this.#api.find({ method: 'GET', path: `/exec/${id}/json`, attempted }), 'the answer')
  }

  #silence() {
    return this.#api.unavailable(new NoAnswer(this.#api.callMs))
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
