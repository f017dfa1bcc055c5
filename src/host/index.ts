/**
 * The machine gear runs on, behind ports: systemd units, the journal, the container engine, files, accounts, git, tools, network and clock. Each port has
 * an interface in gear's words (`port.ts`), a real adapter, a fake for tests, and one suite of tests that both pass. Fakes are behind
 * `fakes.ts`, so that nothing real is loaded for them and nothing fake for the rest.
 */
export type * from './accounts/port.ts'
export type * from './builder/port.ts'
export type * from './clock/port.ts'
export type * from './commands/port.ts'
export { tools } from './commands/port.ts'
export type { EngineChoice } from './engine/engines.ts'
export type * from './engine/port.ts'
export type * from './files/port.ts'
export type * from './git/port.ts'
export { isProgress } from './git/progress.ts'
export type * from './host.ts'
export type * from './journal/port.ts'
export { type LinuxHostOptions, linuxHost } from './linux.ts'
export type * from './netns/port.ts'
export type * from './network/port.ts'
export type * from './units/port.ts'
