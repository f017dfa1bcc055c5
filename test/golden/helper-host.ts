/**
 * The helpers of `libexec` on kinds of hosts that the lab is not. They are the real ones; the tools they call by absolute path are replaced by scripts that
 * note their arguments and answer as the tools did where this was tried for real.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'

const source = fileURLToPath(new URL('../../libexec', import.meta.url))
export const engineId = 'ab'.repeat(32)

export interface HelperEnd {
  readonly exitCode: number | null
  /** Those of the tools, with their arguments. */
  readonly calls: readonly string[]
  readonly printed: string
  /** On standard error. */
  readonly said: readonly string[]
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter(line => line !== '')

export class HelperHost {
  readonly #root = mkdtempSync(join(tmpdir(), 'gear-helpers-'))

  constructor() {
    const libexec = join(this.#root, 'libexec')
    cpSync(source, libexec, { recursive: true })
    mkdirSync(join(this.#root, 'bin'))
    for (const name of readdirSync(libexec)) this.helper(name, readFileSync(join(libexec, name), 'utf8'))
    for (const tool of ['docker', 'podman', 'curl', 'systemctl', 'systemd-notify', 'sleep']) this.tool(tool, '')
    // Not that of a call that takes long.
    this.tool('sleep', 'case $1 in 15 | 30) exec /bin/sleep "$1" ;; esac')
    this.tool('systemctl', 'case "$*" in *NRestarts*) echo 0 ;; esac')
    writeFileSync(join(this.#root, 'docker.pid'), '100')
    // Time flies here: the bound of a pull is over before a busy machine has begun it.
    this.configure('GEARD_PULL_STALL_SECONDS=0')
  }

  /** A helper of the test's own, or one of the real ones, that calls the tools of this host. */
  helper(name: string, text: string): void {
    const path = join(this.#root, 'libexec', name)
    writeFileSync(
      path,
      text
        .replaceAll(/\/usr\/s?bin\/(docker|podman|curl|systemctl|systemd-notify|sleep)\b/g, `${this.#root}/bin/$1`)
        .replaceAll('PATH=/usr/sbin', `PATH=${this.#root}/bin:/usr/sbin`)
        .replaceAll('/run/docker.pid', `${this.#root}/docker.pid`)
        .replaceAll('/etc/default/gear', `${this.#root}/settings`),
    )
    chmodSync(path, 0o755)
  }

  /** Replaces a tool by a script; it has its arguments in "$*", and a function option that prints the value of one. */
  tool(name: string, script: string): void {
    const path = join(this.#root, 'bin', name)
    const option = 'option() { name=$1; shift; while [ $# -gt 1 ]; do [ "$1" != "$name" ] || printf %s "$2"; shift; done; }'
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> ${this.#root}/calls\n${option}\n${script}\n`)
    chmodSync(path, 0o755)
  }

  /** A dockerd that says this of itself, without any container. */
  docker(info: Readonly<Record<string, string>>): void {
    this.tool('curl', `case "$*" in */info) printf '%s\\n200' '${JSON.stringify(info)}' ;; *) printf '{}\\n404' ;; esac`)
    this.tool('docker', `printf %s ${engineId} > "$(option --cidfile "$@")"`)
  }

  /** What gear has noted of the data on docker. */
  note(lines: string): void {
    mkdirSync(join(this.#root, 'base/units/sh'), { recursive: true })
    writeFileSync(join(this.#root, 'base/units/sh/ctr-shop.volumes'), lines)
  }

  /** Makes a folder; its path. */
  folder(name: string): string {
    const path = join(this.#root, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  restartDocker(): void {
    writeFileSync(join(this.#root, 'docker.pid'), '200')
  }

  /** A helper for the container `shop`. */
  run(helper: string, ...args: readonly string[]): HelperEnd {
    return this.call(helper, 'shop', ...args)
  }

  call(helper: string, ...args: readonly string[]): HelperEnd {
    rmSync(join(this.#root, 'calls'), { force: true })
    const environment = { GEARD_BASE_PATH: join(this.#root, 'base'), GEARD_RUN_PATH: join(this.#root, 'run'), NOTIFY_SOCKET: '/none' }
    const path = join(this.#root, 'libexec', helper)
    const { status, stdout, stderr } = spawnSync(path, args, { env: environment, timeout: 30_000, encoding: 'utf8' })
    const calls = execFileSync('/bin/sh', ['-c', `cat ${this.#root}/calls 2> /dev/null || :`], { encoding: 'utf8' })
    return { exitCode: status, calls: linesOf(calls), printed: stdout.trim(), said: linesOf(stderr) }
  }

  /** Lines of /etc/default/gear. */
  configure(...lines: readonly string[]): void {
    writeFileSync(join(this.#root, 'settings'), `${lines.join('\n')}\n`)
  }

  /** A line of shell for a tool: what is given is carried out during a sleep of a helper, one and one. */
  inStep(script: string): string {
    const [begun, done] = [join(this.#root, 'begun'), join(this.#root, 'done')]
    if (!existsSync(begun)) execFileSync('mkfifo', [begun, done])
    this.tool('sleep', `[ "$1" = 0.1 ] || { echo step > ${begun}; read -r step < ${done}; }`)
    return `read -r step < ${begun}; ${script}; echo step > ${done}`
  }

  /** Shell that waits until a file below the folder of gear's state has these words. */
  untilNoted(file: string, words: string): string {
    return `until grep -q ${words} ${this.#root}/base/${file} 2> /dev/null; do /bin/sleep 0.01; done`
  }

  /** Names of what is below the folder of gear's state. */
  below(folder: string): readonly string[] {
    const path = join(this.#root, 'base', folder)
    return existsSync(path) ? readdirSync(path) : []
  }

  /** A file of the container's run state. */
  state(name: string): string {
    return readFileSync(join(this.#root, 'run/sh/shop', name), 'utf8')
  }

  remove(): void {
    rmSync(this.#root, { recursive: true })
  }
}

const hosts: HelperHost[] = []
/** Gone after the test. */
export function newHost(): HelperHost {
  const host = new HelperHost()
  hosts.push(host)
  return host
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove()
})
