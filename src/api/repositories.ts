/** The operations on git repositories: create, look, list, delete, archive (spec §3.5, routes 19 and 20). */
import { isOpenSshFingerprint, parseCloneSource, parseGitRevision } from '../formats/index.ts'
import { engine, id, image, imageTag, nothing, optionalId, optionalImage, optionalQueryFlag, parsed, text, wants } from './fields.ts'
import type { CloneUrl, GitRef, HostKeyFingerprint } from './ids.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

/** An address to clone from, or nothing. */
const cloneSource = parsed(input => (input === '' ? undefined : (parseCloneSource(input).text as CloneUrl)), '')
/** The key by which another host is known, or nothing. */
const hostKey = z.optional(
  z.pipe(
    text.check(
      z.refine(
        value => value === '' || isOpenSshFingerprint(value),
        wants('a fingerprint as OpenSSH prints it: SHA256: and 43 characters of base64'),
      ),
    ),
    z.transform(value => (value === '' ? undefined : (value as HostKeyFingerprint))),
  ),
)
/** The name of a branch, a tag or a commit, or a commit before it. */
const gitRevision = parsed(input => parseGitRevision(input) as GitRef)

const repositoryParams = z.object({ id })

/** What becomes of every push to the default branch. */
const repositoryBuild = z.object(
  { baseImage: image, tag: imageTag, restart: optionalId },
  { error: () => 'must be an object with BaseImage, Tag and Restart' },
)
export type RepositoryBuild = z.infer<typeof repositoryBuild>

export const createRepository = operation({
  id: 'createRepository',
  method: 'PUT',
  path: '/repository/{id}',
  summary: 'Create a bare git repository, empty or cloned',
  description:
    'The address to clone from is given as `source` or as CloneUrl. It is made by the unit job-create-repo-REQUEST.service, whose output is the text; when that fails, nothing is left and the last line says why. With `progress` the text tells as often as it changes how far a clone is, in pieces that end with a carriage return instead of a line break. An ssh source is reached with a key that is made for the repository; when the other host does not let that in, the reason has its public half, and it is used again the next time.',
  params: repositoryParams,
  query: z.object({ source: cloneSource, progress: optionalQueryFlag }),
  body: z.object({
    cloneUrl: cloneSource,
    /** By which the host of an ssh source is known. */
    hostKey,
    build: z.optional(repositoryBuild),
    /** The image in a container of which git serves it. */
    githost: optionalImage,
    /** Of that container. */
    engine: z.optional(engine),
  }),
  reply: { kind: 'text' },
  errors: [
    'REPOSITORY_EXISTS',
    'REPOSITORY_CREATE_FAILED',
    'ENGINE_UNAVAILABLE',
    'ENGINE_FAILED',
    'PULL_STALLED',
    'PULL_RATE_LIMITED',
    'STORAGE_FAILED',
    'COMMAND_FAILED',
    'SYSTEMD_FAILED',
    'SYSTEMD_UNAVAILABLE',
  ],
  effect: 'idempotent',
  lane: 'stream',
  hasDryRun: true,
})

/** What is known of a repository without asking git. */
const repositoryData = z.object({
  id: text,
  /** The branch that a clone checks out. */
  branch: z.optional(text),
  /** The account that owns and serves it: `git-ID`. */
  account: text,
  /** The image that a push is built into, and the container that is restarted with it. */
  image: z.optional(text),
  container: z.optional(text),
  /** The image in a container of which git serves it, and the engine of that container. */
  githost: z.optional(text),
  engine: z.optional(text),
})
export type ListedRepository = z.infer<typeof repositoryData>

export const getRepository = operation({
  id: 'getRepository',
  method: 'GET',
  path: '/repository/{id}',
  summary: 'One repository',
  params: repositoryParams,
  query: nothing,
  reply: { kind: 'data', schema: repositoryData },
  errors: ['REPOSITORY_UNKNOWN', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})

export const listRepositories = operation({
  id: 'listRepositories',
  method: 'GET',
  path: '/repositories',
  summary: 'The repositories of the host',
  params: nothing,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({ repositories: z.array(repositoryData) }),
    table: {
      columns: ['ID', 'BRANCH', 'ACCOUNT', 'IMAGE', 'CONTAINER', 'GITHOST'],
      rows: data =>
        data.repositories.map(item => [
          item.id,
          item.branch ?? '',
          item.account,
          item.image ?? '',
          item.container ?? '',
          item.githost ?? '',
        ]),
    },
  },
  errors: ['STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})

export const makeRepositoryKey = operation({
  id: 'makeRepositoryKey',
  method: 'PUT',
  path: '/repository/{id}/key',
  summary: 'The key with which a repository is cloned over ssh',
  description:
    'Answers the public half, to be added to the other host as a deploy key, and makes the key where there is none: also for a repository that is still to be created. It goes with the repository.',
  params: repositoryParams,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({
      /** `ssh-ed25519 AAAA… git-ID` */
      publicKey: text,
      /** `SHA256:…`, as OpenSSH prints it. */
      sha256: text,
    }),
  },
  errors: ['REPOSITORY_BUSY', 'COMMAND_FAILED', 'STORAGE_FAILED'],
  effect: 'idempotent',
  lane: 'job',
  hasDryRun: true,
})

export const deleteRepository = operation({
  id: 'deleteRepository',
  method: 'DELETE',
  path: '/repository/{id}',
  summary: 'Remove a repository with its account and the access of all keys to it',
  description: 'An unknown id is no error. The keys themselves stay.',
  params: repositoryParams,
  query: nothing,
  reply: { kind: 'none' },
  errors: ['REPOSITORY_BUSY', 'STORAGE_FAILED', 'COMMAND_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  lane: 'job',
  hasDryRun: true,
})

/** One step of a deployment: what the build says, and at last how it ended. */
const repositoryDeployEventData = z.object({
  event: z.enum(['log', 'deployed', 'failed']),
  message: text,
  code: z.optional(text),
  next: z.optional(text),
})
export type RepositoryDeployEvent = z.infer<typeof repositoryDeployEventData>

export const deployRepository = operation({
  id: 'deployRepository',
  method: 'POST',
  path: '/repository/{id}/deploy',
  summary: 'Build what is on the default branch, and restart the container with it',
  description:
    'What a push to a repository with a build does by itself. The container keeps running as it was when the build fails. One at a time per repository: others wait, and build what is there then, unless that was done meanwhile. A stream of events, one JSON object a line; the last is `deployed` or `failed`.',
  params: repositoryParams,
  query: nothing,
  reply: { kind: 'events', schema: repositoryDeployEventData },
  errors: ['REPOSITORY_UNKNOWN', 'REPOSITORY_WITHOUT_BUILD', 'REPOSITORY_BUSY', 'COMMAND_FAILED', 'STORAGE_FAILED'],
  effect: 'once',
  hasDryRun: true,
  lane: 'stream',
})

/** The forms an archive may have. */
const archiveFormats = ['zip', 'tar.gz'] as const
export type ArchiveFormat = (typeof archiveFormats)[number]

export const archiveRepository = operation({
  id: 'archiveRepository',
  method: 'GET',
  path: '/repository/{id}/archive/{ref*}',
  summary: 'The files of a branch, a tag or a commit, packed',
  description:
    'A zip unless `format`, the end of the path (.zip, .tar.gz, .tgz) or Accept (application/gzip) says otherwise. The ref may hold slashes, and may be a commit before another (`main~1`, `v1.0^2`); `master` is the default branch where no branch has that name. An unknown one is answered 404 before anything is sent; an archive that breaks off ends the connection.',
  params: z.object({ id, ref: gitRevision }),
  query: z.object({ format: z.optional(z.enum(archiveFormats, { error: () => `must be one of ${archiveFormats.join(', ')}` })) }),
  reply: { kind: 'bytes' },
  errors: ['REPOSITORY_UNKNOWN', 'REF_UNKNOWN', 'COMMIT_TOO_LARGE', 'COMMAND_FAILED', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'stream',
})
