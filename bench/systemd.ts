/** This host's systemd, asked with its own tools. */
import { execFileSync } from 'node:child_process'

export function systemctl(...args: readonly string[]): string {
  return execFileSync('systemctl', args, { encoding: 'utf8' })
}

/** One property of a unit. */
export function property(unit: string, name: string): string {
  return systemctl('show', '--property', name, '--value', unit).trim()
}

/**
 * Counts daemon-reloads from its making on. systemd writes one line into the journal when it begins one; the signal `Reloading` would be no
 * measure, since it is sent only while somebody has subscribed.
 */
export class ReloadCounter {
  readonly #cursor: string

  constructor() {
    this.#cursor = /^-- cursor: (.+)$/m.exec(journal('--lines=0', '--show-cursor'))?.[1] ?? ''
    if (this.#cursor === '') throw new Error('the journal has no cursor')
  }

  get count(): number {
    const lines = journal(`--after-cursor=${this.#cursor}`, '--output=cat', '_PID=1', 'SYSLOG_IDENTIFIER=systemd')
    return lines.split('\n').filter(line => /^Reloading\.+$/.test(line)).length
  }
}

function journal(...args: readonly string[]): string {
  execFileSync('journalctl', ['--sync'])
  return execFileSync('journalctl', ['--quiet', '--no-pager', ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}
