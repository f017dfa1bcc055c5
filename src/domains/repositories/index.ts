/**
 * Repositories: bare git repositories under an id, each owned by an account of its own (`git-ID`) that sshd lets in with the keys it was given
 * and that can do nothing but serve it. What exists is what has a folder under `$BASE/git`; it appears there whole and goes from there whole.
 * Nothing of it needs the agent: pushes and clones are between sshd, git and the disk.
 */

export { type DeployHands, RepositoryDeployments } from './deploy.ts'
export { repositoryHandlers } from './handlers.ts'
export { makeRepository, removeRepository } from './maker.ts'
export { Repositories } from './service.ts'
export { undoneDeploys } from './store.ts'
