/** git in memory: repositories are folders of the fake files with commits under names. What a clone brings is set by a test. */
import { GearError, type GitRef } from '../../api/index.ts'
import type { CloneSource, SshKey } from '../../formats/index.ts'
import { commandFailed } from '../commands/errors.ts'
import { Faults } from '../faults.ts'
import type { FakeFiles } from '../files/fake.ts'
import type { CloneRequest, CreateOptions, Git, RepositoryPlace, SshSource } from './port.ts'

/** A repository elsewhere. */
export interface FakeSource {
  /** Commits by the names of their refs. Without any it has one commit, of ones, under every name. */
  readonly refs?: Readonly<Record<string, string>>
  /** Texts of a working copy by their paths. */
  readonly files?: Readonly<Record<string, string>>
  /** States of a clone, as git says them. */
  readonly progress?: readonly string[]
}

export class FakeGit extends Faults<keyof Git> implements Git {
  readonly #files: FakeFiles
  /** The repositories that may be cloned, by address. */
  readonly sources = new Map<string, FakeSource>()
  /** The keys by which hosts show themselves. */
  readonly keys = new Map<string, readonly SshKey[]>()
  /** What repositories were created with. */
  readonly created: (CreateOptions | undefined)[] = []
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
    if (ref === 'HEAD') return refs['main']
    return Object.hasOwn(refs, ref) ? refs[ref] : Object.values(refs).find(commit => commit === ref)
  }

  async probe({ path }: RepositoryPlace): Promise<void> {
    await this.meet('probe', path)
    if (!(await this.#files.exists(`${path}/HEAD`))) throw commandFailed('git', ['rev-parse'], new Error('not a git repository'))
  }

  async requireSize({ path }: RepositoryPlace, commit: string): Promise<void> {
    await this.meet('requireSize', `${path} ${commit}`)
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

  async *create({ path }: RepositoryPlace, source: CloneSource | undefined, options?: CreateOptions): AsyncGenerator<string> {
    this.created.push(options)
    if (source !== undefined) yield `Cloning into bare repository '${path}'...`
    await this.meet('create', source?.text ?? '')
    const found = source === undefined ? {} : this.sources.get(source.text)
    if (found === undefined) throw commandFailed('git', ['clone'], new Error(`fatal: repository '${source?.text}' does not exist`))
    for (const state of found.progress ?? []) options?.onProgress?.(state)
    this.#files.put(`${path}/HEAD`, 'ref: refs/heads/main\n')
    this.#refs.set(path, found.refs ?? {})
  }

  async hostKeys({ host }: SshSource): Promise<readonly SshKey[]> {
    await this.meet('hostKeys', host)
    const keys = this.keys.get(host)
    if (keys === undefined) throw new GearError('SOURCE_FAILED', `The host ${host} shows no key`)
    return keys
  }

  async clone({ address, ref, into, mayReadFiles, signal, say }: CloneRequest): Promise<string> {
    signal.throwIfAborted()
    await this.meet('clone', ref === undefined ? address : `${address} ${ref}`)
    const source = address.startsWith('file:') && !mayReadFiles ? undefined : this.sources.get(address)
    const commit = source === undefined ? undefined : commitIn(source, ref)
    if (source === undefined || commit === undefined) {
      throw new GearError('SOURCE_FAILED', `Could not clone ${address}`, { cause: new Error(`${ref ?? 'the repository'} is not found`) })
    }
    say('cloned\n')
    this.#files.putFolder(into)
    for (const [path, text] of Object.entries(source.files ?? {})) this.#files.put(`${into}/${path}`, text)
    return commit
  }
}

function commitIn({ refs }: FakeSource, ref: string | undefined): string | undefined {
  if (refs === undefined) return '1'.repeat(40)
  if (ref === undefined) return Object.values(refs)[0]
  return Object.hasOwn(refs, ref) ? refs[ref] : Object.values(refs).find(commit => commit.startsWith(ref))
}
