/** Repositories that a test has prepared: a clone writes their files. */
import { GearError } from '../../api/index.ts'
import { Faults } from '../faults.ts'
import type { FakeFiles } from '../files/fake.ts'
import type { CloneRequest, Sources } from './port.ts'

export class FakeSources extends Faults<keyof Sources> implements Sources {
  /** The files of every repository by its address. */
  readonly repositories = new Map<string, Readonly<Record<string, string>>>()
  readonly #files: FakeFiles

  constructor(files: FakeFiles) {
    super()
    this.#files = files
  }

  async clone({ address, ref, into, mayReadFiles, signal, say }: CloneRequest): Promise<string> {
    signal.throwIfAborted()
    await this.meet('clone', ref === undefined ? address : `${address} ${ref}`)
    const repository = this.repositories.get(address)
    if (repository === undefined || (address.startsWith('file:') && !mayReadFiles)) {
      throw new GearError('SOURCE_FAILED', `Could not clone ${address}`, { cause: new Error('repository not found') })
    }
    say('cloned\n')
    this.#files.putFolder(into)
    for (const [path, text] of Object.entries(repository)) this.#files.put(`${into}/${path}`, text)
    return '1'.repeat(40)
  }
}
