/**
 * The flags of what makes a repository: by which key its source is known, what becomes of a push, and where git runs that serves it. They are
 * checked as the API checks them.
 */
import { type EngineKind, engineKinds, type HostKeyFingerprint, type ImageName, idRule, isId, type RepositoryBuild } from '../api/index.ts'
import { isOpenSshFingerprint, parseImageReference } from '../formats/index.ts'
import { choice, text } from './flags.ts'
import { UsageError, usage } from './usage-error.ts'

export interface RepositoryFlags {
  readonly hostKey?: string
  readonly build?: string
  readonly tag?: string
  readonly restart?: string
  readonly githost?: string
  readonly engine?: EngineKind
}

export const repositoryFlags = {
  hostKey: text('FINGERPRINT', 'The key of the host that URL is reached at by ssh, as ssh-keygen -l prints it (SHA256:...)'),
  build: text('BASE_IMAGE', 'Build every push to the default branch with this builder image'),
  tag: text('TAG', 'The name of the image that is made'),
  restart: text('CONTAINER', 'The container that is updated and restarted after a build: its id on the same host'),
  githost: text('IMAGE', 'Let git run in a container of this image for all who push, fetch and clone, and for archives'),
  engine: choice(engineKinds, 'The container engine for --githost (that of the host unless given)'),
}

export interface RepositoryWishes {
  readonly hostKey: HostKeyFingerprint | undefined
  /** Undefined when there is nothing to build. */
  readonly build: RepositoryBuild | undefined
  readonly githost: ImageName | undefined
  readonly engine: EngineKind | undefined
}

export function readRepositoryFlags(flags: RepositoryFlags): RepositoryWishes {
  return { build: readBuild(flags), ...readGithost(flags), hostKey: readHostKey(flags) }
}

function readBuild({ build, tag, restart }: RepositoryFlags): RepositoryBuild | undefined {
  if (build === undefined && tag === undefined && restart === undefined) return undefined
  if (build === undefined || tag === undefined)
    throw new UsageError('--build BASE_IMAGE and --tag TAG belong together; --restart needs both')
  for (const [flag, value] of [
    ['--build', build],
    ['--tag', tag],
  ] as const) {
    usage(flag, () => parseImageReference(value))
  }
  if (restart !== undefined && !isId(restart)) throw new UsageError(`--restart ${idRule}`)
  return { baseImage: build as ImageName, tag: tag as ImageName, restart }
}

function readGithost({ githost, engine }: RepositoryFlags): Pick<RepositoryWishes, 'githost' | 'engine'> {
  if (engine !== undefined && githost === undefined) throw new UsageError('--engine is for --githost IMAGE')
  if (githost !== undefined) usage('--githost', () => parseImageReference(githost))
  return { githost: githost as ImageName | undefined, engine }
}

function readHostKey({ hostKey }: RepositoryFlags): HostKeyFingerprint | undefined {
  if (hostKey === undefined) return undefined
  if (!isOpenSshFingerprint(hostKey))
    throw new UsageError('--host-key must be a fingerprint as ssh-keygen -l prints it: SHA256: and 43 characters')
  return hostKey as HostKeyFingerprint
}
