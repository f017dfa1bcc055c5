/**
 * The agent: the contract over HTTP on a Unix socket and on TCP, with request ids and joining, turns, callers, configuration and log. What the
 * operations do is the business of `domains/`; this folder gives them to callers and is the one place where everything is put together.
 */
export { Agent, type AgentFacts, type AgentOptions, startAgent } from './agent.ts'
export { writeAuthorizedKeys } from './authorized-keys.ts'
export { type BuildHereOptions, buildHere, buildRequested, planBuildHere, showUsage } from './build.ts'
export { checkHost, type Finding, findingsText, isFit } from './check.ts'
export { type Config, type ConfigInput, type LoadedConfig, loadConfig, type SettingName, settingsTable, showConfig } from './config.ts'
export { runContainerInit } from './container-init.ts'
export { type DaemonOptions, runDaemon } from './daemon.ts'
export { parseListenUrl } from './listeners.ts'
export { type LocalHandlers, type LocalOptions, openLocal } from './local.ts'
export { type Log, type LogOptions, openLog } from './log.ts'
export { type RepositoryWork, workOnRepository } from './repository-work.ts'
export { type App, makeApp, type ServeOptions } from './serve.ts'
export { takeWriterLock, writerLockPath } from './writer-lock.ts'
