/** A container engine in memory. */
import { type EngineKind, type FileKind, GearError } from '../../api/index.ts'
import { type NewTarEntry, printTar, readTar } from '../../formats/index.ts'
import { Faults } from '../faults.ts'
import { engineFailed, engineUnavailable } from './errors.ts'
import type { Engine, EngineCommand, EngineContainer, EngineImage, EngineOutput, EngineProcess, Engines } from './port.ts'

export class FakeEngine extends Faults<Exclude<keyof Engine, 'kind'>> implements Engine {
  readonly kind: Engine['kind']
  /** Nothing listens on the engine's socket. */
  isAway = false
  readonly #containers = new Map<string, EngineContainer>()
  readonly #images: EngineImage[] = []
  #made = 0

  constructor(kind: Engine['kind'] = 'docker') {
    super()
    this.kind = kind
  }

  /** Adds a container as if somebody had made it; what is not given is that of a running one. */
  addContainer(name: string, given: Partial<EngineContainer> = {}): EngineContainer {
    const count = ++this.#made
    const container: EngineContainer = {
      id: count.toString(16).padStart(64, '0'),
      name,
      labels: {},
      isRunning: true,
      pid: given.isRunning === false ? 0 : 10_000 + count,
      imageId: `sha256:${'0'.repeat(64)}`,
      volumes: [],
      numbers: [],
      ...given,
    }
    this.#containers.set(name, container)
    return container
  }

  /** Takes a container away as if somebody else had removed it. */
  dropContainer(name: string): EngineContainer | undefined {
    const container = this.#containers.get(name)
    this.#containers.delete(name)
    return container
  }

  addImage(tags: readonly string[], given: Partial<EngineImage> = {}): EngineImage {
    const image: EngineImage = { id: `sha256:${(++this.#made).toString(16).padStart(64, '0')}`, tags, digests: [], ...given }
    this.#images.unshift(image)
    return image
  }

  /** The names of all containers there are. */
  get containerNames(): readonly string[] {
    return [...this.#containers.keys()].sort()
  }

  async container(name: string): Promise<EngineContainer | undefined> {
    await this.#reach('container', name)
    return this.#find(name)
  }

  async image(name: string): Promise<EngineImage | undefined> {
    await this.#reach('image', name)
    const full = /[:@][^/]*$/.test(name) ? name : `${name}:latest`
    return this.#images.find(image => image.id === name || image.tags.includes(full) || image.digests.includes(full))
  }

  async images(): Promise<readonly EngineImage[]> {
    await this.#reach('images')
    return this.#images.filter(image => image.tags.length > 0)
  }

  async removeContainer(name: string, _options: { readonly withVolumes: boolean }): Promise<void> {
    await this.#reach('removeContainer', name)
    const container = this.#find(name)
    if (container !== undefined) this.#containers.delete(container.name)
  }

  /** `echo WORDS` and `exit CODE` are all it runs; `cat` gives back its input. */
  async exec(container: string, { words }: EngineCommand): Promise<EngineProcess> {
    await this.#reach('exec', container)
    const running = this.#find(container)
    if (running?.isRunning !== true) throw engineFailed(`run ${words[0]} in container ${container}`, new Error('it does not run'))
    const [program, ...rest] = words
    const input = Promise.withResolvers<void>()
    const said: EngineOutput[] = []
    async function* output() {
      if (program === 'echo') yield { stream: 'stdout' as const, bytes: Buffer.from(`${rest.join(' ')}\n`) }
      if (program === 'cat') await input.promise
      yield* said
    }
    return {
      output: output(),
      write: async bytes => void said.push({ stream: 'stdout', bytes }),
      end: input.resolve,
      resize: async () => undefined,
      exitCode: async () => (program === 'exit' ? Number(rest[0]) : ['echo', 'cat'].includes(program ?? '') ? 0 : 127),
      close: async () => input.resolve(),
    }
  }

  /** What the containers have at their paths; all of them the same. A folder has the value undefined. */
  readonly files = new Map<string, string | undefined>([['/', undefined]])

  async fileKind(container: string, path: string): Promise<FileKind | undefined> {
    await this.#reach('fileKind', container)
    const place = plainPath(path)
    if (!this.files.has(place)) return undefined
    return this.files.get(place) === undefined ? 'folder' : 'file'
  }

  async readFiles(container: string, path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    signal?.throwIfAborted()
    await this.#reach('readFiles', container)
    const place = plainPath(path)
    if (!this.files.has(place)) return undefined
    const above = place.slice(0, place.lastIndexOf('/') + 1)
    const found = [...this.files].filter(([each]) => each === place || each.startsWith(`${place === '/' ? '' : place}/`))
    return printTar(entriesOf(found.map(([each, content]) => [each.slice(above.length), content] as const).filter(([name]) => name !== '')))
  }

  async writeFiles(container: string, folder: string, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    if ((await this.fileKind(container, folder)) !== 'folder') return false
    await this.#reach('writeFiles', container)
    const place = plainPath(folder)
    try {
      for await (const { name, type, bytes } of readTar(tar)) {
        const path = plainPath(`${place}/${name}`)
        if (type === 'folder') this.files.set(path, undefined)
        if (type === 'file') this.files.set(path, await textOf(bytes))
      }
    } catch (error) {
      if (error instanceof GearError) throw error
      throw engineFailed(`write to ${folder} in container ${container}`, error)
    }
    return true
  }

  async ping(): Promise<void> {
    await this.#reach('ping')
  }

  #find(name: string): EngineContainer | undefined {
    return this.#containers.get(name) ?? [...this.#containers.values()].find(container => container.id === name)
  }

  async #reach(operation: Exclude<keyof Engine, 'kind'>, subject?: string): Promise<void> {
    await this.meet(operation, subject)
    if (this.isAway) throw engineUnavailable('/var/run/docker.sock', new Error('connect ENOENT'))
  }
}

function plainPath(path: string): string {
  return `/${path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/')}`
}

async function* entriesOf(files: Iterable<readonly [name: string, content: string | undefined]>): AsyncGenerator<NewTarEntry> {
  for (const [name, content] of files) {
    const bytes = Buffer.from(content ?? '')
    const type = content === undefined ? 'folder' : 'file'
    yield { name, type, mode: 0o644, modifiedMs: 0, size: bytes.length, target: '', owner: { uid: 0, gid: 0 }, bytes: pieces(bytes) }
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const piece of bytes) all.push(piece)
  return Buffer.concat(all).toString()
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

/** Both engines. The one that is chosen is always the same: finding out which is the real adapter's. */
export class FakeEngines implements Engines {
  readonly docker = new FakeEngine('docker')
  readonly podman = new FakeEngine('podman')
  readonly chosen: FakeEngine

  constructor(chosen: EngineKind = 'docker') {
    this.chosen = this[chosen]
  }

  of(kind: EngineKind): FakeEngine {
    return this[kind]
  }

  async choose(): Promise<FakeEngine> {
    return this.chosen
  }
}
