/** A container engine in memory. */
import { Faults } from '../faults.ts'
import { engineFailed, engineUnavailable } from './errors.ts'
import type { Engine, EngineCommand, EngineContainer, EngineImage, EngineKind, EngineOutput, EngineProcess, Engines } from './port.ts'

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
      ...given,
    }
    this.#containers.set(name, container)
    return container
  }

  /** Takes a container away as if somebody else had removed it. */
  dropContainer(name: string): void {
    this.#containers.delete(name)
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
