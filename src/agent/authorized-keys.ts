/** `gear auth-keys-command`, which is no part of the agent's process: it writes what sshd otherwise asks for at each login. */
import type { CommandResult } from '../host/index.ts'
import { linuxHost } from '../host/index.ts'
import { hostPaths, loadConfig } from './config.ts'

/** What the helper said, and its exit code: 2 for an account that does not exist, 1 for one that is none of gear's and for every failure. */
export async function writeAuthorizedKeys(login: string): Promise<CommandResult> {
  const host = linuxHost({ paths: hostPaths(loadConfig({}).config) })
  try {
    return await host.commands.run('write-authorized-keys', [login])
  } finally {
    await host.units.close()
  }
}
