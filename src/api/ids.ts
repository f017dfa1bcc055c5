/**
 * Branded names: text that has been checked once, at the edge, and can from then on be used in paths, unit files and argument lists.
 * Nothing else may reach those places.
 */
declare const brand: unique symbol
export type Branded<Text extends string, Name extends string> = Text & { readonly [brand]: Name }

/** A container or repository id: 4 to 24 of `A-Za-z0-9_.-`, starting with a letter or digit (spec §1.1). */
export type Id = Branded<string, 'Id'>
export type ContainerId = Id
export type RepositoryId = Id

/** Every id may be that of an environment, too; the original's client draws some of its own, of base64url, which may begin with `-` and `_`. */
export type EnvironmentId = Id | Branded<string, 'EnvironmentId'>

/** The name of a public key on disk: 43 characters of base64url (spec §11.1). */
export type KeyFingerprint = Branded<string, 'KeyFingerprint'>
/** `SHA256:…`, as OpenSSH prints it. */
export type HostKeyFingerprint = Branded<string, 'HostKeyFingerprint'>

/** A request id in its 22-character base64url form (spec §1.3). */
export type RequestId = Branded<string, 'RequestId'>

/** Names a lease: a deployment, or a container of one. */
export type LeaseName = Branded<string, 'LeaseName'>

/** A systemd unit name, such as `ctr-web-1.service`. */
export type UnitName = Branded<string, 'UnitName'>

/** The name of a branch, a tag or a commit, as `formats/git.ts` takes it; never an option or an expression. */
export type GitRef = Branded<string, 'GitRef'>

/** An address to clone from, as `formats/git.ts` takes it and git is given it. */
export type CloneUrl = Branded<string, 'CloneUrl'>

/** A checked image reference, such as `registry.example/shop/web:1.2`. */
export type ImageName = Branded<string, 'ImageName'>

/** The rule for ids, in the words a caller is told. */
export const idRule = 'must be 4 to 24 characters of A-Z a-z 0-9 _ . - and start with a letter or digit'
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{3,23}$/

/** Whether a text may name a container or a repository. */
export function isId(text: string): text is Id {
  return idPattern.test(text)
}

/** The rule for the ids of environments. They name files only, so the dot is all that may do harm at their start: `..` as a partition. */
export const environmentIdRule = 'must be 4 to 24 characters of A-Z a-z 0-9 _ . - and not start with a dot'
const environmentIdPattern = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{3,23}$/

/** Whether a text may name an environment. */
export function isEnvironmentId(text: string): text is EnvironmentId {
  return environmentIdPattern.test(text)
}

const containerUnitPattern = /^ctr-([A-Za-z0-9][A-Za-z0-9_.-]{3,23})\.service$/

/** The unit of a container: `ctr-ID.service`. */
export function containerUnit(id: ContainerId): UnitName {
  return `ctr-${id}.service` as UnitName
}

/** The unit that applies the links of a container again while it runs: `gear-links@ID.service`, of a template that gear brings along. */
export function linksUnit(id: ContainerId): UnitName {
  return `gear-links@${id}.service` as UnitName
}

/** The container of a unit name, or undefined when the unit is not one of a container. */
export function containerOfUnit(unit: string): ContainerId | undefined {
  return containerUnitPattern.exec(unit)?.[1] as ContainerId | undefined
}

/** The transient unit that creates a repository, named by the request (spec §1.3). */
export function createRepositoryUnit(requestId: RequestId): UnitName {
  return `job-create-repo-${requestId}.service` as UnitName
}

/** The transient unit that removes one. */
export function deleteRepositoryUnit(requestId: RequestId): UnitName {
  return `job-delete-repo-${requestId}.service` as UnitName
}

/** The first two characters, which divide the disk layout into partitions (spec §5.3). */
export function partition(id: Id | EnvironmentId): string {
  return id.slice(0, 2)
}

/** The name of an account of the host: 1 to 32 characters, which is what useradd takes. */
export type Login = Branded<string, 'Login'>

/** The kinds of accounts that gear makes, and how they are told from all others: by the start of the login and the GECOS name (spec §1.1, §1.2). */
export const accountKinds = {
  container: { prefix: 'ctr-', comment: 'Container user' },
  repository: { prefix: 'git-', comment: 'Repository user' },
} as const
export type AccountKind = keyof typeof accountKinds

/** `ctr-ID` or `git-ID`. */
export function loginOf(kind: AccountKind, id: Id): Login {
  return `${accountKinds[kind].prefix}${id}` as Login
}

/** Whose account it is; undefined when it is not one of the kind. */
export function idOfAccount(kind: AccountKind, account: { readonly login: string; readonly comment: string }): Id | undefined {
  const { prefix, comment } = accountKinds[kind]
  if (account.comment !== comment || !account.login.startsWith(prefix)) return undefined
  const id = account.login.slice(prefix.length)
  return isId(id) ? id : undefined
}
