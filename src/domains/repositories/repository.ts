/** The model of a repository: what its own files and its record say of it. Pure. */
import {
  type EngineKind,
  engineKinds,
  GearError,
  type HostKeyFingerprint,
  type Id,
  type ImageName,
  isId,
  type RepositoryBuild,
  type RequestId,
} from '../../api/index.ts'
import { knownHostName, openSshFingerprint, parseImageReference, printSshKey, type SshKey } from '../../formats/index.ts'

/** The record of what becomes of a push, for programs and for administrators, who may change it. */
export function printBuild({ baseImage, tag, restart }: RepositoryBuild): string {
  return `${JSON.stringify({ version: 1, baseImage, tag, ...(restart === undefined ? {} : { restart }) }, undefined, 2)}\n`
}

/** Throws FormatError and SyntaxError for a record that somebody has spoiled. */
export function parseBuild(text: string): RepositoryBuild {
  const { baseImage, tag, restart } = JSON.parse(text) as Readonly<Record<string, unknown>>
  const images = [baseImage, tag].map(image => {
    if (typeof image !== 'string') throw new SyntaxError('baseImage and tag must be images')
    parseImageReference(image)
    return image as ImageName
  })
  if (restart !== undefined && !(typeof restart === 'string' && isId(restart)))
    throw new SyntaxError('restart must be the id of a container')
  return { baseImage: images[0] as ImageName, tag: images[1] as ImageName, restart: restart as Id | undefined }
}

/** Deployments of a repository that are not at their end. */
export interface Deploys {
  /** The requests for them, in the order they came. */
  readonly requests: readonly RequestId[]
  /** The build of the one whose turn it is. */
  readonly build?: BegunBuild | undefined
}

export interface BegunBuild {
  readonly requestId: RequestId
  readonly commit: string
  readonly baseImage: ImageName
  readonly tag: ImageName
}

export function printDeploys({ requests, build }: Deploys): string {
  return `${JSON.stringify({ version: 1, requests, ...(build === undefined ? {} : { build }) })}\n`
}

export function isSameDeploys(one: Deploys, other: Deploys): boolean {
  return printDeploys(one) === printDeploys(other)
}

/** Throws SyntaxError. */
export function parseDeploys(text: string): Deploys {
  const { requests, build } = JSON.parse(text) as Deploys
  if (!Array.isArray(requests)) throw new SyntaxError('requests must be a list')
  return { requests, build }
}

/** Where git runs that serves a repository, when it is not the host itself. */
export interface Githost {
  readonly image: ImageName
  readonly engine: EngineKind
}

/** In the form that the helpers read, which may run without the agent. */
export function printGithost({ image, engine }: Githost): string {
  return `engine=${engine}\nimage=${image}\n`
}

/** Throws FormatError and SyntaxError for a record that somebody has spoiled. */
export function parseGithost(text: string): Githost {
  const values = new Map(text.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  const engine = engineKinds.find(kind => kind === values.get('engine'))
  const image = values.get('image') ?? ''
  if (engine === undefined) throw new SyntaxError('engine must be docker or podman')
  parseImageReference(image)
  return { image: image as ImageName, engine }
}

/** The keys of a host, for ssh (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Throws SOURCE_FAILED unless one of them is the one that is expected. */
export function printKnownHost(
  source: { readonly host: string; readonly port: number },
  { keys, fingerprint }: { readonly keys: readonly SshKey[]; readonly fingerprint: HostKeyFingerprint },
): string {
  const shown = keys.map(openSshFingerprint)
  const key = keys[shown.indexOf(fingerprint)]
  if (key === undefined) {
    throw new GearError('SOURCE_FAILED', `${source.host} does not show the key ${fingerprint}`, {
      cause: new Error(`it shows ${keys.map((each, index) => `${shown[index]} (${each.algorithm})`).join(', ')}`),
    })
  }
  return `${knownHostName(source)} ${printSshKey(key)}`
}

/** The branch a clone checks out, from the text of HEAD; undefined when it stands on a commit. */
export function branchOf(head: string): string | undefined {
  return /^ref: refs\/heads\/(\S+)\s*$/.exec(head)?.[1]
}

/** An archive of a ref as a file name: `shop-v1.0.zip`. */
export function archiveName(id: string, ref: string, extension: string): string {
  return `${id}-${ref.replaceAll(/[^\w.-]/g, '-')}.${extension}`
}

/** A ref and the form that its end asks for: `v1.0.tar.gz` may be a tag, or the tag `v1.0` packed. */
export function refWithoutSuffix(ref: string): { readonly ref: string; readonly format: 'zip' | 'tar.gz' } | undefined {
  const [, stem = '', suffix] = /^(.+)\.(zip|tar\.gz|tgz)$/.exec(ref) ?? []
  if (suffix === undefined) return undefined
  return { ref: stem, format: suffix === 'zip' ? 'zip' : 'tar.gz' }
}
