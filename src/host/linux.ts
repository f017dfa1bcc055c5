/** The real machine. Nothing is connected and no heavy library is loaded until a port is first used. */
import { passwdAccounts } from './accounts/passwd.ts'
import { type EngineAddress, engineCliBuilder } from './builder/engine-cli.ts'
import { systemClock } from './clock/system.ts'
import { processCommands } from './commands/process.ts'
import { dockerEngine } from './engine/docker.ts'
import { type EngineChoice, enginesOf } from './engine/engines.ts'
import { podmanEngine } from './engine/podman.ts'
import { diskFiles } from './files/disk.ts'
import { processGit } from './git/process.ts'
import { defaultPaths, type Host, type Paths } from './host.ts'
import { journalctlJournal } from './journal/journalctl.ts'
import { linuxNamespaces } from './netns/nsenter.ts'
import { linuxNetwork } from './network/linux.ts'
import { systemdUnits } from './units/systemd.ts'

export interface LinuxHostOptions {
  readonly paths?: Partial<Paths>
  /** The engine of containers for which nobody names one. */
  readonly engine?: EngineChoice
  /** Where images are built, when it is not that engine at its usual address. */
  readonly builder?: EngineAddress
}

/** Close `units` at the end: its connection to the bus keeps the process alive. */
export function linuxHost(options: LinuxHostOptions = {}): Host {
  const files = diskFiles()
  const commands = processCommands()
  const paths = { ...defaultPaths, ...options.paths }
  const engines = enginesOf({ docker: dockerEngine(), podman: podmanEngine({ commands, files }) }, options.engine ?? 'auto')
  return {
    units: systemdUnits(),
    engines,
    builder: engineCliBuilder(commands, async () => options.builder ?? { kind: (await engines.choose()).kind }, paths.base),
    journal: journalctlJournal(commands),
    files,
    accounts: passwdAccounts(files, commands),
    git: processGit(paths),
    commands,
    network: linuxNetwork(files),
    namespaces: linuxNamespaces(commands),
    clock: systemClock(),
    paths,
  }
}
