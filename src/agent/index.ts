/**
 * The agent: the contract over HTTP on a Unix socket and on TCP, with request ids and joining, turns, callers, configuration and log. What the
 * operations do is the business of `domains/`; this folder gives them to callers and is the one place where everything is put together.
 */
export { writeAuthorizedKeys } from './authorized-keys.ts'
export { buildHere, buildRequested, planBuildHere, showUsage } from './build.ts'
export { settingsTable } from './config.ts'
export { runContainerInit } from './container-init.ts'
export { runDaemon } from './daemon.ts'
export { openLocal } from './local.ts'
export { workOnRepository } from './repository-work.ts'
