/**
 * Public SSH keys: each stored once under its fingerprint, and a link in the access folder of every container and repository it is let into
 * (spec §11). What sshd needs at a login are these files alone: `gear-auth-keys-command` reads them, without the agent.
 */
export { GeneratedFiles } from './generated.ts'
export { keyHandlers } from './handlers.ts'
export { Keys } from './service.ts'
