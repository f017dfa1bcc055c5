/** Somebody who uses git from a lab host: with keys, a clean home, and nothing of the host's own settings. */
import type { LabHost, Outcome } from './lab-host.ts'

const identity = ['AUTHOR', 'COMMITTER'].flatMap(who => [`GIT_${who}_NAME=n`, `GIT_${who}_EMAIL=n@example`])
const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']

export class GitUser {
  readonly #host: LabHost
  /** Home, and where lines of shell begin. */
  readonly folder: string

  private constructor(host: LabHost, folder: string) {
    this.#host = host
    this.folder = folder
  }

  /** Makes the folder anew, with a key of each name. */
  static async make(host: LabHost, folder: string, keys: readonly string[]): Promise<GitUser> {
    const user = new GitUser(host, folder)
    await host.sh(`rm -rf ${folder}; mkdir -p ${folder}
      for key in ${keys.join(' ')}; do ssh-keygen -q -t ed25519 -N "" -f ${folder}/$key; done`)
    return user
  }

  publicKey(key: string): string {
    return `${this.folder}/${key}.pub`
  }

  /** Lets a key into a repository. */
  async letIn(key: string, id: string, access: 'read' | 'write'): Promise<void> {
    await this.#host.gearDo('add-keys', `repo://${id}`, ...(access === 'write' ? ['--write'] : []), '--key-file', this.publicKey(key))
  }

  /** ssh with a key, as words of a shell. */
  ssh(key: string): string {
    return `ssh -i ${this.folder}/${key} ${options.map(option => `-o ${option}`).join(' ')}`
  }

  /** A line of shell as somebody with this key types it; any exit code is a result. */
  as(key: string, line: string): Promise<Outcome> {
    const variables = ['PATH=/usr/bin:/bin', `HOME=${this.folder}`, `GIT_SSH_COMMAND=${this.ssh(key)}`, ...identity]
    return this.#host.exec(['/usr/bin/env', '-i', ...variables, '/bin/sh', '-euc', `cd ${this.folder}; ${line}`])
  }

  /** One that has to succeed; its output. */
  async doAs(key: string, line: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.as(key, line)
    if (exitCode !== 0) throw new Error(`${line}\nended with ${exitCode}: ${stdout}${stderr}`)
    return stdout
  }

  async leave(): Promise<void> {
    await this.#host.sh(`rm -rf ${this.folder}`)
  }
}
