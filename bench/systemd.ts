/** This host's systemd, asked with its own tools. */
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'

export function systemctl(...args: readonly string[]): string {
  return execFileSync('systemctl', args, { encoding: 'utf8' })
}

/**
 * Makes systemd hold the units of these containers, as it does after a boot of a host where they had been started: what is wanted at boot
 * stays loaded, whatever became of it, while other units at rest are read anew when somebody asks. Starts nothing.
 */
export function keepLoaded(names: readonly string[]): void {
  for (const id of names) {
    const unit = `ctr-${id}.service`
    symlinkSync(`/var/lib/containers/units/${id.slice(0, 2)}/${unit}`, `/etc/systemd/system/container-active.target.wants/${unit}`)
  }
  systemctl('daemon-reload')
  const units = systemctl('list-units', '--all', '--plain', '--no-legend', 'ctr-*.service').trim().split('\n')
  if (units.length < names.length) throw new Error(`systemd has loaded ${units.length} of ${names.length} units`)
}

/** One property of a unit. */
export function property(unit: string, name: string): string {
  return systemctl('show', '--property', name, '--value', unit).trim()
}

/** One property of each of the units, in their order. */
export function properties(units: readonly string[], name: string): readonly string[] {
  // One empty line between two units.
  return systemctl('show', '--property', name, ...units)
    .trim()
    .split('\n\n')
    .map(line => line.slice(name.length + 1))
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
