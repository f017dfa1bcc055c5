/** git in memory: repositories are folders of the fake files with commits under names. What a clone would bring is set by a test. */
import type { GitRef } from '../../api/index.ts'
import type { CloneSource } from '../../formats/index.ts'
import { commandFailed } from '../commands/errors.ts'
import { Faults } from '../faults.ts'
import type { FakeFiles } from '../files/fake.ts'
import type { Git, RepositoryPlace } from './port.ts'

export class FakeGit extends Faults<keyof Git> implements Git {
  readonly #files: FakeFiles
  /** Refs of the repositories that may be cloned, by address. */
  readonly sources = new Map<string, Readonly<Record<string, string>>>()
  readonly #refs = new Map<string, Readonly<Record<string, string>>>()

  constructor(files: FakeFiles) {
    super()
    this.#files = files
  }

  /** What the names in a repository stand for from now on. */
  push(path: string, refs: Readonly<Record<string, string>>): void {
    this.#refs.set(path, { ...this.#refs.get(path), ...refs })
  }

  async commitOf({ path }: RepositoryPlace, ref: GitRef): Promise<string | undefined> {
    await this.meet('commitOf', `${path} ${ref}`)
    if (!(await this.#files.exists(`${path}/HEAD`))) throw commandFailed('git', ['rev-parse'], new Error('not a git repository'))
    const refs = this.#refs.get(path) ?? {}
    return Object.hasOwn(refs, ref) ? refs[ref] : Object.values(refs).find(commit => commit === ref)
  }

  async *archive({ path }: RepositoryPlace, { commit, format }: Parameters<Git['archive']>[1]): AsyncGenerator<Uint8Array> {
    await this.meet('archive', path)
    const signature = format === 'zip' ? [0x50, 0x4b] : [0x1f, 0x8b]
    yield Buffer.from([...signature, ...Buffer.from(commit)])
  }

  async checkOut(_: RepositoryPlace, { commit, folder }: Parameters<Git['checkOut']>[1]): Promise<void> {
    await this.meet('checkOut', folder)
    this.#files.put(`${folder}/commit`, `${commit}\n`)
  }

  async *create({ path }: RepositoryPlace, source: CloneSource | undefined): AsyncGenerator<string> {
    if (source !== undefined) yield `Cloning into bare repository '${path}'...`
    await this.meet('create', source?.text ?? '')
    const refs = source === undefined ? {} : this.sources.get(source.text)
    if (refs === undefined) throw commandFailed('git', ['clone'], new Error(`fatal: repository '${source?.text}' does not exist`))
    this.#files.put(`${path}/HEAD`, 'ref: refs/heads/main\n')
    this.#refs.set(path, refs)
  }
}
