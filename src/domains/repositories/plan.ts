/**
 * What has to be done to make or remove a repository, as data. Pure. It is made under a name that no id has and moved to its own when it is whole,
 * and moved away first when it is removed: a crash between any two steps leaves something that the next look finds and clears away.
 */
import type { HostKeyFingerprint, ImageName, Login, RepositoryBuild } from '../../api/index.ts'
import type { CloneSource } from '../../formats/index.ts'
import { folderOf, type RepositoryPaths } from '../layout/index.ts'
import { type Githost, printBuild, printGithost } from './repository.ts'

export type RepositoryStep =
  | { readonly kind: 'writeFile'; readonly reason: string; readonly path: string; readonly text: string }
  | { readonly kind: 'removeFolder'; readonly reason: string; readonly path: string }
  | { readonly kind: 'createAccount'; readonly reason: string; readonly login: Login; readonly home: string; readonly isNew: boolean }
  | { readonly kind: 'makeFolder'; readonly reason: string; readonly path: string; readonly login: Login }
  | {
      readonly kind: 'fill'
      readonly reason: string
      readonly path: string
      readonly login: Login
      readonly source: CloneSource | undefined
      readonly mayReachHost: boolean
      readonly ssh?: SshPlaces | undefined
    }
  | { readonly kind: 'makeKey'; readonly reason: string; readonly path: string; readonly login: Login }
  | { readonly kind: 'lendKey'; readonly reason: string; readonly from: string; readonly to: string; readonly login: Login }
  | {
      readonly kind: 'learnHost'
      readonly reason: string
      readonly path: string
      readonly login: Login
      readonly source: RemoteSource
      readonly fingerprint: HostKeyFingerprint
      readonly mayReachHost: boolean
    }
  | { readonly kind: 'fetchImage'; readonly reason: string; readonly image: ImageName }
  | { readonly kind: 'tryGithost'; readonly reason: string; readonly path: string; readonly login: Login }
  | { readonly kind: 'moveFolder'; readonly reason: string; readonly from: string; readonly to: string }
  | { readonly kind: 'endProcesses'; readonly reason: string; readonly login: Login }
  | { readonly kind: 'removeAccount'; readonly reason: string; readonly login: Login }
  | { readonly kind: 'syncFolders'; readonly reason: string; readonly folders: readonly string[] }

type RemoteSource = Extract<CloneSource, { readonly kind: 'remote' }>

/** Where what ssh works with is. */
export interface SshPlaces {
  readonly key: string
  readonly knownHosts: string
}

/** What a look finds of a repository, be it whole, half made or half removed. */
export interface FoundRepository {
  readonly paths: RepositoryPaths
  readonly login: Login
  readonly exists: boolean
  readonly hasUnfinished: boolean
  readonly hasAccount: boolean
  readonly hasHome: boolean
  readonly hasAccess: boolean
  /** Files of a commit that was being built when the agent ended. */
  readonly hasCheckout: boolean
  /** The key with which it is cloned over ssh. */
  readonly hasCloneKey: boolean
  /** Deployments that no agent has brought to their end. */
  readonly hasDeploys: boolean
  /** Paths of what an attempt that broke off has said of it. */
  readonly records: readonly string[]
}

export interface WantedRepository {
  readonly source: CloneSource | undefined
  readonly build: RepositoryBuild | undefined
  readonly githost?: Githost | undefined
  /** Whether the source may be, or lead to, an address of this host: not for callers from elsewhere. */
  readonly mayReachHost?: boolean
  /** The key by which the host of an ssh source is known, where that host is not known here yet. */
  readonly hostKey?: HostKeyFingerprint | undefined
}

/** Steps to a repository that does not exist yet. */
export function planMake(
  found: FoundRepository,
  { source, build, githost, hostKey, mayReachHost = true }: WantedRepository,
): readonly RepositoryStep[] {
  const { paths, login, hasUnfinished, hasAccount, hasAccess, records } = found
  const ssh = source?.kind === 'remote' && source.protocol === 'ssh' ? sshSteps(found, { source, hostKey, mayReachHost }) : undefined
  const steps: RepositoryStep[] = []
  if (hasUnfinished) steps.push({ kind: 'removeFolder', reason: 'an earlier attempt broke off', path: paths.unfinished })
  if (hasAccess)
    steps.push({ kind: 'removeFolder', reason: 'keys of a repository of this name from before must not open it', path: paths.access })
  for (const path of records) steps.push({ kind: 'removeFolder', reason: 'what was said of an earlier attempt does not hold', path })
  if (githost !== undefined) steps.push({ kind: 'fetchImage', reason: 'git runs in a container of it', image: githost.image })
  const reason = hasAccount ? 'its account must have a home' : 'it is owned and served by an account of its own'
  if (ssh !== undefined) steps.push(...ssh.before)
  steps.push(
    { kind: 'createAccount', reason, login, home: paths.home, isNew: !hasAccount },
    { kind: 'makeFolder', reason: 'it is made apart, and seen when it is whole', path: paths.unfinished, login },
    ...(ssh?.lending ?? []),
    {
      kind: 'fill',
      reason: source === undefined ? 'it is empty' : 'it is cloned',
      path: paths.unfinished,
      login,
      source,
      mayReachHost,
      ...(ssh === undefined ? {} : { ssh: { key: paths.lentKey, knownHosts: paths.knownHosts } }),
    },
    ...(ssh?.after ?? []),
    ...(build === undefined ? [] : [buildStep(paths, build)]),
    ...(githost === undefined ? [] : githostSteps(paths, { githost, login })),
    { kind: 'moveFolder', reason: 'now it exists', from: paths.unfinished, to: paths.repository },
    {
      kind: 'syncFolders',
      reason: 'it survives a power cut',
      folders: [folderOf(paths.repository), folderOf(paths.access), paths.homeFolder],
    },
  )
  return steps
}

interface SshClone {
  readonly source: RemoteSource
  readonly hostKey: HostKeyFingerprint | undefined
  readonly mayReachHost: boolean
}

/** The key stays root's: its account, which serves everybody who may fetch, has it no longer than the clone takes. */
function sshSteps({ paths, login, hasCloneKey }: FoundRepository, { source, hostKey, mayReachHost }: SshClone) {
  const { cloneKey, lentKey, knownHosts } = paths
  const before = planKey({ paths, login, hasCloneKey })
  const lending: RepositoryStep[] = [{ kind: 'lendKey', reason: 'git runs as its account', from: cloneKey, to: lentKey, login }]
  const after: RepositoryStep[] = [{ kind: 'removeFolder', reason: 'it is cloned once', path: lentKey }]
  if (hostKey !== undefined) {
    const reason = `${source.host} is to show this key`
    lending.push({ kind: 'learnHost', reason, path: knownHosts, login, source, fingerprint: hostKey, mayReachHost })
    after.push({ kind: 'removeFolder', reason: 'nothing else goes there', path: knownHosts })
  }
  return { before, lending, after }
}

/** Steps to the key with which it is cloned. It may be there before the repository is, and stays when that cannot be cloned yet. */
export function planKey({
  paths,
  login,
  hasCloneKey,
}: Pick<FoundRepository, 'paths' | 'login' | 'hasCloneKey'>): readonly RepositoryStep[] {
  if (hasCloneKey) return []
  return [{ kind: 'makeKey', reason: 'the host that it is cloned from knows it by a key of its own', path: paths.cloneKey, login }]
}

function buildStep(paths: RepositoryPaths, build: RepositoryBuild): RepositoryStep {
  return { kind: 'writeFile', reason: 'pushes to it are built', path: paths.build, text: printBuild(build) }
}

function githostSteps(
  { githost: path, unfinished }: RepositoryPaths,
  { githost, login }: { readonly githost: Githost; readonly login: Login },
): readonly RepositoryStep[] {
  return [
    { kind: 'writeFile', reason: 'git runs in a container for it', path, text: printGithost(githost) },
    { kind: 'tryGithost', reason: 'an image without git would be found out by the first who pushes', path: unfinished, login },
  ]
}

/** Steps to no repository. Nothing when there is nothing of it. */
export function planRemove(found: FoundRepository): readonly RepositoryStep[] {
  const { paths, login } = found
  const steps: RepositoryStep[] = []
  if (found.hasAccess) steps.push({ kind: 'removeFolder', reason: 'no key opens it any more', path: paths.access })
  if (found.exists) {
    if (found.hasUnfinished) steps.push({ kind: 'removeFolder', reason: 'a removal broke off', path: paths.unfinished })
    steps.push({ kind: 'moveFolder', reason: 'now it exists no more', from: paths.repository, to: paths.unfinished })
  }
  if (found.hasAccount) steps.push({ kind: 'endProcesses', reason: 'pushes and clones of it end', login })
  if (found.exists || found.hasUnfinished) steps.push({ kind: 'removeFolder', reason: 'its commits', path: paths.unfinished })
  if (found.hasCheckout) steps.push({ kind: 'removeFolder', reason: 'a build of it broke off', path: paths.checkout })
  if (found.hasCloneKey) steps.push({ kind: 'removeFolder', reason: 'its key is of no use to another', path: paths.cloneKey })
  if (found.hasDeploys) steps.push({ kind: 'removeFolder', reason: 'it is not deployed any more', path: paths.deploys })
  if (found.hasAccount) steps.push({ kind: 'removeAccount', reason: 'nobody else has it', login })
  if (found.hasHome) steps.push({ kind: 'removeFolder', reason: 'the home of its account', path: paths.homeFolder })
  if (steps.length === 0) return steps
  const folders = [paths.repository, paths.access, paths.homeFolder, ...(found.hasCloneKey ? [paths.cloneKey] : [])].map(folderOf)
  steps.push({ kind: 'syncFolders', reason: 'the removal survives a power cut', folders })
  return steps
}
