/**
 * The key of a repository that is cloned over ssh: root's, and lent to its account while it is cloned. An administrator may put another one in its
 * place; the public half is made from what is there.
 */
import { GearError } from '../../api/index.ts'
import { openSshFingerprint, parseAuthorizedKey } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'

export interface PublicKey {
  /** `ssh-ed25519 AAAA… git-ID` */
  readonly publicKey: string
  /** As OpenSSH prints it. */
  readonly sha256: string
}

/** `-P ''`: a key with a passphrase is refused instead of asked for. */
export async function publicKeyOf({ commands }: Pick<Host, 'commands'>, path: string): Promise<PublicKey> {
  const { exitCode, stdout, stderr } = await commands.run('ssh-keygen', ['-y', '-P', '', '-f', path])
  if (exitCode !== 0) throw new GearError('COMMAND_FAILED', `Could not read the key in ${path}`, { cause: new Error(stderr.trim()) })
  return { publicKey: stdout.trim(), sha256: openSshFingerprint(parseAuthorizedKey(stdout.trim()).key) }
}
