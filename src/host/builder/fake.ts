/** An engine that builds in memory: containers are told by what they were made from, and end as a test says. */
import { GearError } from '../../api/index.ts'
import { Faults } from '../faults.ts'
import type { BuildContainer, Builder, BuilderImage, BuildRun, Commit, Goods, Streams, Unpacking } from './port.ts'

type Program = (container: BuildContainer, streams: Streams) => Partial<BuildRun> | Promise<Partial<BuildRun>>

export class FakeBuilder extends Faults<keyof Builder> implements Builder {
  readonly images = new Map<string, BuilderImage>()
  /** Images that a pull would bring. */
  readonly registry = new Map<string, BuilderImage>()
  readonly containers = new Map<string, BuildContainer>()
  /** Names in folders of images, by `IMAGE FOLDER`. */
  readonly folders = new Map<string, readonly string[]>()
  /** Files of images, by `IMAGE PATH`. */
  readonly texts = new Map<string, string>()
  /** What was copied into containers. */
  readonly goods: (Omit<Goods, 'signal'> & { readonly container: string })[] = []
  /** Tars that went from one container into another. */
  readonly unpacked: (Unpacking & { readonly from: string })[] = []
  readonly commits: (Commit & { readonly container: string })[] = []
  readonly #programs = new Map<string, Program>()
  #made = 0

  addImage(name: string, given: Partial<BuilderImage> = {}): BuilderImage {
    const image = { id: this.#newId(), user: '', environment: [], labels: {}, command: [], ...given }
    this.images.set(name, image)
    return image
  }

  /** What a container whose command is this script does; without it, it ends with 0 at once. */
  behave(script: string, program: Program): void {
    this.#programs.set(script, program)
  }

  async image(name: string): Promise<BuilderImage | undefined> {
    await this.meet('image', name)
    return this.images.get(name)
  }

  async pull(name: string, { say }: Streams): Promise<void> {
    await this.meet('pull', name)
    const image = this.registry.get(name)
    if (image === undefined) throw new GearError('ENGINE_FAILED', `Could not pull image ${name}`, { cause: new Error('not found') })
    say('pulled\n')
    this.images.set(name, image)
  }

  async create(container: BuildContainer): Promise<void> {
    await this.meet('create', container.name)
    this.containers.set(container.name, container)
  }

  async put(container: string, { signal, ...goods }: Goods): Promise<void> {
    signal.throwIfAborted()
    await this.meet('put', container)
    this.#of(container)
    this.goods.push({ container, ...goods })
  }

  async hand(
    from: { readonly container: string; readonly folder: string },
    to: { readonly container: string; readonly below: string },
  ): Promise<void> {
    await this.meet('hand', `${from.container}:${from.folder} ${to.container}:${to.below}`)
  }

  async list(container: string, folder: string): Promise<readonly string[] | undefined> {
    await this.meet('list', container)
    return this.folders.get(`${this.#of(container).image} ${folder}`)
  }

  async read(container: string, path: string): Promise<string | undefined> {
    await this.meet('read', `${container} ${path}`)
    return this.texts.get(`${this.#of(container).image} ${path}`)
  }

  async run(name: string, { signal, say, into }: Streams & { readonly into?: Unpacking }): Promise<BuildRun> {
    signal.throwIfAborted()
    await this.meet('run', name)
    const container = this.#of(name)
    const program = this.#programs.get(container.command.at(-1) ?? '')
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    const end = await Promise.race([program?.(container, { signal, say }) ?? {}, aborted])
    if (into !== undefined && end.isUnpacked === true) this.unpacked.push({ from: name, ...into })
    return { exitCode: 0, isOutOfMemory: false, isUnpacked: false, ...end }
  }

  async commit(container: string, commit: Commit): Promise<string> {
    await this.meet('commit', commit.name)
    const { image } = this.#of(container)
    this.commits.push({ container, ...commit })
    const base = this.images.get(image)
    return this.addImage(commit.name, { ...base, id: this.#newId(), command: commit.command }).id
  }

  async removeImage(id: string): Promise<boolean> {
    await this.meet('removeImage', id)
    return true
  }

  async remove(containers: readonly string[]): Promise<void> {
    await this.meet('remove', containers.join(' '))
    for (const container of containers) this.containers.delete(container)
  }

  #of(name: string): BuildContainer {
    const container = this.containers.get(name)
    if (container === undefined) throw new GearError('ENGINE_FAILED', `There is no container ${name}`)
    return container
  }

  #newId(): string {
    return `sha256:${(++this.#made).toString(16).padStart(64, '0')}`
  }
}
