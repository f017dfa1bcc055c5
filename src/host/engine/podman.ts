/**
 * Podman by way of its CLI: it has no daemon, and its API service would be one. `docs/decisions/0020-podman-without-a-daemon.md` has the
 * figures. A call takes 30 ms; that a name is not taken, which is what an install asks, the index of its storage tells in less than one.
 */
import { randomUUID } from 'node:crypto'
import { type FileKind, limits } from '../../api/index.ts'
import { firstTarEntry } from '../../formats/index.ts'
import type { CommandResult, Commands, OpenCommand } from '../commands/port.ts'
import { tools } from '../commands/port.ts'
import type { Files } from '../files/port.ts'
import { containerOf, digestOf, recordOf, textOf } from './answers.ts'
import { conmonTerminal } from './conmon.ts'
import { engineUnavailable, understood } from './errors.ts'
import { hangUp, hangUpAll, onAbort, whileItComes } from './exec.ts'
import type { Engine, EngineCommand, EngineContainer, EngineImage, EngineProcess } from './port.ts'

export interface PodmanParts {
  readonly commands: Commands
  readonly files: Pick<Files, 'exists' | 'read'>
}

export function podmanEngine(parts: PodmanParts): Engine {
  return new PodmanEngine(parts)
}

/** A host with thousands of containers has an index of a few megabytes. */
const indexBytes = 33_554_432

class PodmanEngine implements Engine {
  readonly kind = 'podman'
  readonly #parts: PodmanParts
  /** Folder with the indexes of containers; where podman's storage is does not change under a running agent. */
  #indexFolder: Promise<string> | undefined

  constructor(parts: PodmanParts) {
    this.#parts = parts
  }

  async container(name: string): Promise<EngineContainer | undefined> {
    const attempted = `read container ${name}`
    if (!(await this.#isNamed(name))) return undefined
    const result = await this.#run(['container', 'inspect', '--', name])
    if (result.exitCode !== 0 && result.stderr.includes('no such container')) return undefined
    const container = understood(attempted, () => containerOf(firstOf(outputOf(result))))
    // podman takes the beginning of an id as well
    return container.name === name || container.id === name ? container : undefined
  }

  async image(name: string): Promise<EngineImage | undefined> {
    const result = await this.#run(['image', 'inspect', '--', name])
    if (result.exitCode !== 0 && result.stderr.includes('image not known')) return undefined
    return understood(`read image ${name}`, () => imageOf(firstOf(outputOf(result))))
  }

  async images(): Promise<readonly EngineImage[]> {
    const format = '{{.ID}} {{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}'
    const result = await this.#run(['images', '--no-trunc', '--format', format])
    return understood('list images', () => imagesOf(outputOf(result)))
  }

  async removeContainer(name: string, { withVolumes }: { readonly withVolumes: boolean }): Promise<void> {
    const options = ['--force', '--ignore', '--time', '0', ...(withVolumes ? ['--volumes'] : [])]
    const result = await this.#run(['rm', ...options, '--', name])
    understood(`remove container ${name}`, () => outputOf(result))
  }

  /** Opens its storage, so one that is damaged is told. */
  async ping(): Promise<void> {
    await this.#findIndex()
  }

  /** The CLI holds the other end. It passes hang-ups on to nobody, so the command is known by a word in its environment. */
  async exec(container: string, { words, user, terminal, hasInput }: EngineCommand): Promise<EngineProcess> {
    const tty = terminal === undefined ? [] : ['--tty', '--env', 'TERM=xterm']
    const mark = `GEAR_EXEC=${randomUUID()}`
    const options = [
      ...(hasInput ? ['--interactive'] : []),
      '--detach-keys=',
      '--env',
      mark,
      ...tty,
      ...(user === '' ? [] : ['--user', user]),
    ]
    const child = this.#parts.commands.open('podman', ['--events-backend=none', 'exec', ...options, container, ...words])
    const resize = conmonTerminal(mark, child.exitCode)
    if (terminal !== undefined) resize(terminal)
    return {
      output: child.output,
      write: child.write,
      end: child.end,
      resize: async to => resize(to),
      exitCode: () => child.exitCode,
      close: async () => {
        await hangUpAll(mark)
        if (child.pid !== undefined) hangUp(child.pid)
      },
    }
  }

  async fileKind(container: string, path: string): Promise<FileKind | undefined> {
    const files = await this.readFiles(container, path)
    if (files === undefined) return undefined
    if (/^\/+$/.test(path)) {
      await files[Symbol.asyncIterator]().return?.(undefined)
      return 'folder'
    }
    return (await firstTarEntry(files))?.type === 'folder' ? 'folder' : 'file'
  }

  /** Follows links by itself. What it says before the first bytes tells whether there is anything. */
  async readFiles(container: string, path: string, signal?: AbortSignal): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const attempted = `read ${path} in container ${container}`
    signal?.throwIfAborted()
    const child = this.#copy([`${container}:${path}`, '-'])
    child.end()
    const release = onAbort(signal, () => {
      if (child.pid !== undefined) hangUp(child.pid)
    })
    void child.exitCode.then(release)
    const end = (): void => {
      if (child.pid !== undefined) hangUp(child.pid)
    }
    const pieces = whileItComes(bytesOf(child, attempted), { where: tools.podman.path, idleMs: limits.copyIdleMs, end })
    try {
      const first = await pieces.next()
      return withFirst(first, pieces)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof Error && /could not be found|no such file|not a directory/.test(String(error.cause))) return undefined
      throw error
    }
  }

  async writeFiles(container: string, folder: string, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    const attempted = `write to ${folder} in container ${container}`
    // Without the option the files would belong to the user of the container, whatever the tar says.
    const child = this.#copy(['--archive=false', '-', `${container}:${folder}`])
    const said = saidBy(child)
    let isEnded = false
    const ended = child.exitCode.finally(() => {
      isEnded = true
    })
    const sent = (async () => {
      for await (const piece of tar) {
        if (isEnded) return
        const timer = setTimeout(() => child.pid !== undefined && hangUp(child.pid), limits.copyIdleMs)
        await child.write(piece)
        clearTimeout(timer)
      }
      child.end()
    })()
    try {
      await Promise.race([sent, ended])
      const exitCode = await inTime(ended)
      const stderr = await said
      if (exitCode !== 0 && /must be a directory|could not be found/.test(stderr)) return false
      understood(attempted, () => outputOf({ exitCode, stdout: '', stderr }))
      return true
    } finally {
      if (!isEnded && child.pid !== undefined) hangUp(child.pid)
    }
  }

  #copy(args: readonly string[]): OpenCommand {
    return this.#parts.commands.open('podman', ['--events-backend=none', 'cp', ...args])
  }

  /** Whether the storage has a container of this name or id; true when in doubt. Containers run with `--rm` have an index of their own. */
  async #isNamed(name: string): Promise<boolean> {
    this.#indexFolder ??= this.#findIndex()
    const folder = await this.#indexFolder.catch((error: unknown) => {
      this.#indexFolder = undefined
      throw error
    })
    const [index, ofVolatile] = await Promise.all(
      ['containers.json', 'volatile-containers.json'].map(file => this.#parts.files.read(`${folder}/${file}`, indexBytes)),
    )
    // A storage that never held a container has the lock and no index yet; without both it is of a kind that is not known.
    if (index === undefined && !(await this.#parts.files.exists(`${folder}/containers.lock`))) return true
    return [index, ofVolatile].some(text => text?.includes(JSON.stringify(name)))
  }

  async #findIndex(): Promise<string> {
    const result = await this.#run(['info', '--format', '{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-containers'])
    return understood('ask podman for its storage', () => outputOf(result).trim())
  }

  async #run(args: readonly string[]): Promise<CommandResult> {
    try {
      return await this.#parts.commands.run('podman', ['--events-backend=none', ...args])
    } catch (error) {
      throw engineUnavailable(tools.podman.path, error)
    }
  }
}

/** What a copy gives; it is ended with the loop. Throws ENGINE_FAILED when podman could not go on. */
async function* bytesOf(child: OpenCommand, attempted: string): AsyncGenerator<Uint8Array> {
  let stderr = ''
  let isEnded = false
  try {
    for await (const { stream, bytes } of child.output) {
      if (stream === 'stdout') yield bytes
      else if (stderr.length < saidMax) stderr += Buffer.from(bytes).toString()
    }
    const exitCode = await child.exitCode
    isEnded = true
    understood(attempted, () => outputOf({ exitCode, stdout: '', stderr }))
  } finally {
    if (!isEnded && child.pid !== undefined) hangUp(child.pid)
  }
}

async function* withFirst(first: IteratorResult<Uint8Array>, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.done !== true) yield first.value
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/** All that a command says, of which the beginning is enough. */
async function saidBy(child: OpenCommand): Promise<string> {
  let said = ''
  for await (const { bytes } of child.output) if (said.length < saidMax) said += Buffer.from(bytes).toString()
  return said
}

const saidMax = 16_384

async function inTime(ended: Promise<number>): Promise<number> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = engineUnavailable(tools.podman.path, new Error(`no end within ${limits.copyEndMs} ms`))
  const timer = setTimeout(() => reject(late), limits.copyEndMs)
  try {
    return await Promise.race([ended, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** What podman printed. Throws what it said instead when it failed. */
function outputOf({ exitCode, stdout, stderr }: CommandResult): string {
  if (exitCode === 0) return stdout
  const said = stderr.trim().replace(/^Error: /m, '')
  throw new Error(said === '' ? `podman ended with ${exitCode}` : said)
}

function firstOf(json: string): unknown {
  const list: unknown = JSON.parse(json)
  return Array.isArray(list) ? list[0] : undefined
}

function imageOf(body: unknown): EngineImage {
  const image = recordOf(body, 'the answer')
  return {
    id: digestOf(textOf(image['Id'], 'Id')),
    tags: namesOf(image['RepoTags']),
    digests: pulled(namesOf(image['RepoDigests'])),
  }
}

/** From one line per tag, `ID NAME:TAG NAME@DIGEST`, to one image per id, in podman's order. */
function imagesOf(lines: string): readonly EngineImage[] {
  const images = new Map<string, { readonly tags: string[]; readonly digests: string[] }>()
  for (const line of lines.split('\n')) {
    const [id = '', tag = '', digest = ''] = line.split(' ')
    if (tag === '' || tag.includes('<none>')) continue
    const image = images.get(id) ?? { tags: [], digests: [] }
    image.tags.push(tag)
    if (!image.digests.includes(digest)) image.digests.push(digest)
    images.set(id, image)
  }
  return [...images].map(([id, { tags, digests }]) => ({ id: digestOf(id), tags, digests: pulled(digests) }))
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(name => textOf(name, 'a name')) : []
}

/** Podman gives a digest to images that were made here, too; those have no registry. */
function pulled(digests: readonly string[]): readonly string[] {
  return digests.filter(digest => !digest.startsWith('localhost/'))
}
