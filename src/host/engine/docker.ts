/** Docker, by way of its HTTP API (`docker-api.ts`). */
import type { IncomingMessage } from 'node:http'
import type { FileKind } from '../../api/index.ts'
import { containerOf, recordOf, textOf } from './answers.ts'
import { type Call, DockerApi, type DockerOptions, expectSuccess, refused, replyOf } from './docker-api.ts'
import { execByDocker } from './docker-exec.ts'
import { engineFailed, understood } from './errors.ts'
import { onAbort, whileItComes } from './exec.ts'
import type { Engine, EngineCommand, EngineContainer, EngineImage, EngineProcess } from './port.ts'

export function dockerEngine(options: DockerOptions = {}): Engine {
  return new DockerEngine(new DockerApi(options))
}

class DockerEngine implements Engine {
  readonly kind = 'docker'
  readonly #api: DockerApi

  constructor(api: DockerApi) {
    this.#api = api
  }

  async container(name: string): Promise<EngineContainer | undefined> {
    const call: Call = { method: 'GET', path: `/containers/${encodeURIComponent(name)}/json`, attempted: `read container ${name}` }
    const body = await this.#api.find(call)
    return body === undefined ? undefined : understood(call.attempted, () => containerOf(body))
  }

  async image(name: string): Promise<EngineImage | undefined> {
    const call: Call = { method: 'GET', path: `/images/${encodeURIComponent(name)}/json`, attempted: `read image ${name}` }
    const body = await this.#api.find(call)
    return body === undefined ? undefined : understood(call.attempted, () => imageOf(body))
  }

  async images(): Promise<readonly EngineImage[]> {
    const call: Call = { method: 'GET', path: '/images/json', attempted: 'list images' }
    const body = await this.#api.find(call)
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
    const reply = await this.#api.call(call)
    if (reply.status === 404) return
    // somebody else removes it at the moment: done when they are
    if (reply.status === 409) await this.#api.find({ method: 'POST', path: `${path}/wait?condition=removed`, attempted })
    else expectSuccess(call, reply)
    for (const volume of volumes) await this.#removeVolume(volume)
  }

  /** One that a container has stays, and one that is gone is gone. */
  async #removeVolume(name: string): Promise<void> {
    const call: Call = { method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}`, attempted: `remove volume ${name}` }
    const reply = await this.#api.call(call)
    if (reply.status !== 404 && reply.status !== 409) expectSuccess(call, reply)
  }

  async ping(): Promise<void> {
    const call: Call = { method: 'GET', path: '/_ping', attempted: 'ask whether the engine is there' }
    expectSuccess(call, await this.#api.call(call))
  }

  exec(container: string, command: EngineCommand): Promise<EngineProcess> {
    return execByDocker(this.#api, container, command)
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
    const response = await this.#api.begin({ method: 'GET', path: archivePath(container, target), attempted })
    if (response.statusCode === 200) {
      // Nobody may listen yet when it is ended.
      response.on('error', () => undefined)
      onAbort(signal, () => void response.destroy())
      return whileItComes(piecesOf(response, attempted), {
        where: this.#api.socketPath,
        idleMs: this.#api.idleMs,
        end: () => void response.destroy(),
      })
    }
    const reply = await replyOf(response)
    if (reply.status === 404) return undefined
    throw refused(attempted, reply)
  }

  async writeFiles(container: string, folder: string, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    if ((await this.fileKind(container, folder)) !== 'folder') return false
    const attempted = `write to ${folder} in container ${container}`
    const path = `${archivePath(container, folder)}&noOverwriteDirNonDir=true`
    expectSuccess({ attempted }, await this.#api.upload(path, tar))
    return true
  }

  /** What is at a path once links are followed, and where that is. */
  async #lookAt(container: string, path: string): Promise<{ readonly kind: FileKind; readonly path: string } | undefined> {
    let place = path
    // Docker says where a link leads to in the end; that may be a link again only when somebody changes it at the moment.
    for (let looks = 0; looks < linkLooksMax; looks++) {
      const attempted = `look at ${path} in container ${container}`
      const response = await this.#api.begin({ method: 'HEAD', path: archivePath(container, place), attempted })
      response.resume()
      if (response.statusCode === 404) return undefined
      const header = response.headers['x-docker-container-path-stat']
      if (typeof header !== 'string') {
        // There are no words after HEAD.
        const again = await this.#api.begin({ method: 'GET', path: archivePath(container, place), attempted })
        const error = refused(attempted, await replyOf(again))
        if (/not a directory/.test(String(error.cause))) return undefined
        throw error
      }
      const { mode, linkTarget } = fileOf(header, attempted)
      if (linkTarget === '') return { kind: (mode & goFolderBit) === 0 ? 'file' : 'folder', path: place }
      place = linkTarget
    }
    return undefined
  }
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
