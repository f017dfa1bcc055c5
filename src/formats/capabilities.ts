/** Names of Linux capabilities (capabilities(7)), as engines take them: without CAP_, in capitals. */
import { FormatError, quoted } from './format-error.ts'

export const capabilityNames = [
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'AUDIT_WRITE',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'PERFMON',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_CHROOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
] as const

/** `ALL` stands for all of them. */
export type Capability = (typeof capabilityNames)[number] | 'ALL'

const known: ReadonlySet<string> = new Set([...capabilityNames, 'ALL'])

/** Reads a name in any case, with or without CAP_. */
export function parseCapability(text: string): Capability {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  if (!known.has(name)) {
    throw new FormatError(
      'capabilities.name',
      `a capability must be one of capabilities(7), such as NET_ADMIN, or ALL, not ${quoted(text)}`,
      {
        input: text,
      },
    )
  }
  return name as Capability
}

/** Reads `NET_ADMIN,SYS_PTRACE`. */
export function parseCapabilities(text: string): readonly Capability[] {
  return text === '' ? [] : text.split(',').map(parseCapability)
}
