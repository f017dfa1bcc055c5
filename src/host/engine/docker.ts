/**
 * The HTTP API of Docker on its Unix socket. A client of our own over node:http: `docs/decisions/0001-engine-client.md`
 * has the figures. Calls are under way on few kept connections; every one is bounded in time and size.
 */
import type { Agent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type FileKind, type GearError, limits } from '../../api/index.ts'
import { builtinHttp } from '../../lib/index.ts'
import { anonymousVolumesOf, recordOf, textOf } from './answers.ts'
import { engineFailed, engineUnavailable, NoAnswer, understood } from './errors.ts'
import { hangUp, onAbort, outputsOf, whileItComes } from './exec.ts'
import type { Engine, EngineCommand, EngineContainer, EngineImage, EngineOutput, EngineProcess } from './port.ts'

export interface DockerOptions {
  readonly socketPath?: string
  readonly callMs?: number
  readonly idleMs?: number
}

const defaultSocket = '/run/docker.sock'

/** A host with thousands of images answers with a few megabytes. */
const replyBytesMax = 33_554_432

/** Connections to the engine at once; further calls wait for one of them. */
const connectionsMax = 8

interface Reply {
  readonly status: number
  readonly body: unknown
}

interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly path: string
  /** For messages: `read container web`. */
  readonly attempted: string
  readonly body?: unknown
}

export function dockerEngine(options: DockerOptions = {}): Engine {
  return new DockerEngine(options)
}

class DockerEngine implements Engine {
  readonly kind = 'docker'
  readonly #socketPath: string
  readonly #callMs: number
  readonly #idleMs: number
  #agent: Agent | undefined

  constructor(options: DockerOptions) {
    this.#socketPath = options.socketPath ?? defaultSocket
    this.#callMs = options.callMs ?? limits.engineCallMs
    this.#idleMs = options.idleMs ?? limits.copyIdleMs
  }

  async container(name: string): Promise<EngineContainer | undefined> {
    const call: Call = { method: 'GET', path: `/containers/${encodeURIComponent(name)}/json`, attempted: `read container ${name}` }
    const body = await this.#find(call)
    return body === undefined ? undefined : understood(call.attempted, () => containerOf(body))
  }

  async image(name: string): Promise<EngineImage | undefined> {
    const call: Call = { method: 'GET', path: `/images/${encodeURIComponent(name)}/json`, attempted: `read image ${name}` }
    const body = await this.#find(call)
    return body === undefined ? undefined : understood(call.attempted, () => imageOf(body))
  }

  async images(): Promise<readonly EngineImage[]> {
    const call: Call = { method: 'GET', path: '/images/json', attempted: 'list images' }
    const body = await this.#find(call)
    return understood(call.attempted, () => {
      if (!Array.isArray(body)) throw new TypeError('the list of images is no list')
      return body.map(imageOf).filter(image => image.tags.length > 0)
    })
  }

  async removeContainer(name: string, { withVolumes }: { readonly withVolumes: boolean }): Promise<void> {
    const path = `/containers/${encodeURIComponent(name)}`
    const attempted = `remove container ${name}`
    // Docker itself leaves those that a container has by name, as ID-data has its own.
    const volumes = withVolumes ? ((await this.container(name))?.volumes ?? []) : []
    const call: Call = { method: 'DELETE', path: `${path}?force=true&v=${withVolumes}`, attempted }
    const reply = await this.#call(call)
    if (reply.status === 404) return
    // somebody else removes it at the moment: done when they are
    if (reply.status === 409) await this.#find({ method: 'POST', path: `${path}/wait?condition=removed`, attempted })
    else expectSuccess(call, reply)
    for (const volume of volumes) await this.#removeVolume(volume)
  }

  /** One that a container has stays, and one that is gone is gone. */
  async #removeVolume(name: string): Promise<void> {
    const call: Call = { method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}`, attempted: `remove volume ${name}` }
    const reply = await this.#call(call)
    if (reply.status !== 404 && reply.status !== 409) expectSuccess(call, reply)
  }

  async ping(): Promise<void> {
    const call: Call = { method: 'GET', path: '/_ping', attempted: 'ask whether the engine is there' }
    expectSuccess(call, await this.#call(call))
  }

  async exec(container: string, { words, user, terminal, hasInput }: EngineCommand): Promise<EngineProcess> {
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
    const made = await this.#call(create)
    expectSuccess(create, made)
    const id = understood(create.attempted, () => textOf(recordOf(made.body, 'the answer')['Id'], 'Id'))
    const socket = await this.#connect(`/exec/${id}/start`, { Detach: false, Tty: hasTerminal }, attempted)
    const inspect = async () => recordOf(await this.#find({ method: 'GET', path: `/exec/${id}/json`, attempted }), 'the answer')
    const resize: EngineProcess['resize'] = async ({ columns, rows }) =>
      // It may have ended meanwhile, which its exit code tells.
      void (await this.#call({ method: 'POST', path: `/exec/${id}/resize?h=${rows}&w=${columns}`, attempted }))
    if (hasTerminal) await resize(terminal)
    // Docker takes the connection before containerd, which may hang, has begun.
    let hasBegun = true
    const look = async (): Promise<void> => {
      const { ExitCode: code, Pid: pid } = await inspect()
      hasBegun = typeof code === 'number' || (typeof pid === 'number' && pid > 0)
      if (!hasBegun) socket.destroy()
    }
    const timer = setTimeout(() => void look().catch(() => undefined), this.#callMs)
    socket.once('close', () => clearTimeout(timer))
    const requireBegun = (): void => {
      if (!hasBegun) throw engineUnavailable(this.#socketPath, new NoAnswer(this.#callMs))
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

  async fileKind(container: string, path: string): Promise<FileKind | undefined> {
    return (await this.#lookAt(container, path))?.kind
  }

  async readFiles(container: string, path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    signal?.throwIfAborted()
    // Docker gives a link at the end of a path as the link that it is.
    const target = (await this.#lookAt(container, path))?.path
    if (target === undefined) return undefined
    const attempted = `read ${path} in container ${container}`
    const response = await this.#begin({ method: 'GET', path: archivePath(container, target), attempted })
    if (response.statusCode === 200) {
      // Nobody may listen yet when it is ended.
      response.on('error', () => undefined)
      onAbort(signal, () => void response.destroy())
      return whileItComes(piecesOf(response, attempted), {
        where: this.#socketPath,
        idleMs: this.#idleMs,
        end: () => void response.destroy(),
      })
    }
    const text = await bodyOf(response)
    if (response.statusCode === 404) return undefined
    throw refused(attempted, { status: response.statusCode ?? 0, body: parsed(text) })
  }

  async writeFiles(container: string, folder: string, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    if ((await this.fileKind(container, folder)) !== 'folder') return false
    const attempted = `write to ${folder} in container ${container}`
    const path = `${archivePath(container, folder)}&noOverwriteDirNonDir=true`
    const request = builtinHttp().request({
      socketPath: this.#socketPath,
      method: 'PUT',
      path,
      headers: { host: 'localhost', 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' },
    })
    let isAnswered = false
    const answer = new Promise<Reply>((resolve, reject) => {
      request.on('error', error => reject(engineUnavailable(this.#socketPath, error)))
      request.on('response', response => {
        isAnswered = true
        bodyOf(response).then(
          text => resolve({ status: response.statusCode ?? 0, body: parsed(text) }),
          error => reject(engineUnavailable(this.#socketPath, error)),
        )
      })
    })
    // Who fails first is told: the tar, or the engine in the middle of it.
    const sent = (async () => {
      for await (const piece of tar) {
        if (isAnswered) return
        const timer = setTimeout(() => request.destroy(new NoAnswer(this.#idleMs)), this.#idleMs)
        await new Promise<void>(resolve => request.write(piece, () => resolve()))
        clearTimeout(timer)
      }
      request.end()
      request.setTimeout(limits.copyEndMs, () => request.destroy(new NoAnswer(limits.copyEndMs)))
    })()
    try {
      const [reply] = await Promise.all([answer, Promise.race([sent, answer])])
      if (reply.status < 200 || reply.status >= 300) throw refused(attempted, reply)
      return true
    } finally {
      request.destroy()
    }
  }

  /** What is at a path once links are followed, and where that is. */
  async #lookAt(container: string, path: string): Promise<{ readonly kind: FileKind; readonly path: string } | undefined> {
    let place = path
    // Docker says where a link leads to in the end; that may be a link again only when somebody changes it at the moment.
    for (let looks = 0; looks < linkLooksMax; looks++) {
      const attempted = `look at ${path} in container ${container}`
      const response = await this.#begin({ method: 'HEAD', path: archivePath(container, place), attempted })
      response.resume()
      if (response.statusCode === 404) return undefined
      const header = response.headers['x-docker-container-path-stat']
      if (typeof header !== 'string') {
        // There are no words after HEAD.
        const again = await this.#begin({ method: 'GET', path: archivePath(container, place), attempted })
        const error = refused(attempted, { status: again.statusCode ?? 0, body: parsed(await bodyOf(again)) })
        if (/not a directory/.test(String(error.cause))) return undefined
        throw error
      }
      const { mode, linkTarget } = fileOf(header, attempted)
      if (linkTarget === '') return { kind: (mode & goFolderBit) === 0 ? 'file' : 'folder', path: place }
      place = linkTarget
    }
    return undefined
  }

  /** Sends a call on a connection of its own; resolves when the head of the answer is there. */
  #begin({ method, path }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = builtinHttp().request({ socketPath: this.#socketPath, method, path, headers: { host: 'localhost' } })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.#callMs)), this.#callMs)
      request.on('error', error => {
        clearTimeout(timer)
        reject(engineUnavailable(this.#socketPath, error))
      })
      request.on('response', response => {
        clearTimeout(timer)
        resolve(response)
      })
      request.end()
    })
  }

  /** A connection that belongs to the other end of a command from now on. */
  #connect(path: string, body: unknown, attempted: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const request = builtinHttp().request({
        socketPath: this.#socketPath,
        method: 'POST',
        path,
        headers: {
          host: 'localhost',
          connection: 'Upgrade',
          upgrade: 'tcp',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        },
      })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.#callMs)), this.#callMs)
      request.on('error', error => reject(engineUnavailable(this.#socketPath, error)))
      request.on('upgrade', (_response, socket, head) => {
        clearTimeout(timer)
        if (head.length > 0) socket.unshift(head)
        // One that is cut off has an output that ends; the exit code tells the rest.
        socket.on('error', () => undefined)
        resolve(socket as Socket)
      })
      request.on('response', response => {
        clearTimeout(timer)
        bodyOf(response).then(
          answer => reject(engineFailed(attempted, new Error(answer.trim()))),
          error => reject(engineUnavailable(this.#socketPath, error)),
        )
      })
      request.end(text)
    })
  }

  /** The body, or undefined when there is no such thing. */
  async #find(call: Call): Promise<unknown> {
    const reply = await this.#call(call)
    if (reply.status === 404) return undefined
    expectSuccess(call, reply)
    return reply.body
  }

  async #call(call: Call): Promise<Reply> {
    try {
      return await this.#send(call)
    } catch (error) {
      // A kept connection may have been closed by the engine just as it was used again. All calls here may be repeated.
      if (!(error instanceof StaleConnection)) throw error
      return this.#send(call)
    }
  }

  #send(call: Call): Promise<Reply> {
    const payload = call.body === undefined ? '' : JSON.stringify(call.body)
    this.#agent ??= new (builtinHttp().Agent)({ keepAlive: true, maxSockets: connectionsMax })
    return new Promise((resolve, reject) => {
      const request = builtinHttp().request({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method: call.method,
        path: call.path,
        headers: {
          host: 'localhost',
          'content-length': Buffer.byteLength(payload),
          ...(payload === '' ? {} : { 'content-type': 'application/json' }),
        },
      })
      const timer = setTimeout(() => request.destroy(new NoAnswer(this.#callMs)), this.#callMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(request.reusedSocket && isConnectionEnd(error) ? new StaleConnection() : engineUnavailable(this.#socketPath, error))
      }
      request.on('error', fail)
      request.on('response', response => {
        bodyOf(response).then(text => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, body: parsed(text) })
        }, fail)
      })
      request.end(payload)
    })
  }
}

/** After the end of the output, a millisecond longer apart each time: five seconds in all. */
const exitLooksMax = 100

/** Resolves when the connection takes more, or is gone. */
function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed || socket.writableEnded) resolve()
    else socket.write(bytes, () => resolve())
  })
}

class StaleConnection extends Error {}

function isConnectionEnd(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** Ends the connection with the loop. */
async function* piecesOf(response: IncomingMessage, attempted: string): AsyncGenerator<Uint8Array> {
  try {
    yield* response as AsyncIterable<Buffer>
  } catch (error) {
    throw engineFailed(attempted, error)
  } finally {
    response.destroy()
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > replyBytesMax) throw new Error(`the answer has more than ${replyBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** JSON where it is JSON; `/_ping` and some failures are plain text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function expectSuccess(call: Call, reply: Reply): void {
  if (reply.status < 200 || reply.status >= 300) throw refused(call.attempted, reply)
}

function refused(attempted: string, { status, body }: Reply): GearError {
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body).trim()
  return engineFailed(attempted, new Error(said === '' ? `the engine answered ${status}` : said))
}

function archivePath(container: string, path: string): string {
  return `/containers/${encodeURIComponent(container)}/archive?path=${encodeURIComponent(path)}`
}

/** The bit of a mode that says folder, as Go has it (`os.ModeDir`). */
const goFolderBit = 0x80000000

const linkLooksMax = 5

/** The header in which Docker says what a file is: JSON in base64. */
function fileOf(header: string, attempted: string): { readonly mode: number; readonly linkTarget: string } {
  try {
    const file = recordOf(JSON.parse(Buffer.from(header, 'base64').toString()), 'the file')
    const { mode } = file
    if (typeof mode !== 'number') throw new TypeError('the mode is no number')
    return { mode, linkTarget: textOf(file['linkTarget'], 'linkTarget') }
  } catch (error) {
    throw engineFailed(attempted, error)
  }
}

function containerOf(body: unknown): EngineContainer {
  const container = recordOf(body, 'the answer')
  const state = recordOf(container['State'], 'State')
  const labels = recordOf(recordOf(container['Config'], 'Config')['Labels'] ?? {}, 'Labels')
  return {
    id: textOf(container['Id'], 'Id'),
    name: textOf(container['Name'], 'Name').replace(/^\//, ''),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, textOf(value, name)])),
    isRunning: state['Running'] === true,
    pid: typeof state['Pid'] === 'number' ? state['Pid'] : 0,
    imageId: textOf(container['Image'], 'Image'),
    volumes: anonymousVolumesOf(container['Mounts']),
  }
}

function imageOf(body: unknown): EngineImage {
  const image = recordOf(body, 'the answer')
  return {
    id: textOf(image['Id'], 'Id'),
    tags: namesOf(image['RepoTags']),
    digests: namesOf(image['RepoDigests']),
  }
}

/** Docker writes `<none>` into lists of names that have none. */
function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(name => textOf(name, 'a name')).filter(name => !name.includes('<none>')) : []
}
