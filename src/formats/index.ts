/**
 * Text formats that other programs and people define: JSON as it comes over the wire, systemd's units and status, environment files,
 * accounts, capabilities, image references, locators, ports, links, volumes, sizes. Everything here is pure: text in, data out and back, and a `FormatError`
 * that says in plain words what was expected. What a value means, and whether it is allowed now, is decided on higher floors.
 */

export * from './account-file.ts'
export * from './build-source.ts'
export * from './capabilities.ts'
export * from './deployed-instances.ts'
export * from './duration.ts'
export * from './env-file.ts'
export { FormatError, type FormatErrorDetails } from './format-error.ts'
export * from './git.ts'
export { parseRemoteAddress, type RemoteAddress } from './git-address.ts'
export * from './glob.ts'
export * from './host-name.ts'
export * from './image-reference.ts'
export * from './json.ts'
export * from './locator.ts'
export * from './network-links.ts'
export * from './ports.ts'
export * from './request-id.ts'
export * from './size.ts'
export * from './ssh-keys.ts'
export * from './systemd-status.ts'
export * from './tar.ts'
export * from './text-table.ts'
export * from './token-file.ts'
export * from './unit-command.ts'
export * from './unit-file.ts'
export * from './unit-name.ts'
export * from './volumes.ts'
export { parseYaml } from './yaml.ts'
