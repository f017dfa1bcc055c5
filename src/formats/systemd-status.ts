/**
 * The text of `systemctl status`, made to say what clients of the original look for. systemd 252 names the link under /etc/systemd
 * and adds the preset to the state; they expect the unit's own path and the bare state: `Loaded: loaded (<path>; enabled)`.
 */

/** Matches what systemctl prints for a unit that has a file; a unit without one has a reason in these brackets. */
const loadedPattern = /^(\s*Loaded: loaded) \((\/[^;]*); ([a-z-]+)(?:; (?:vendor )?preset: [a-z-]+)?\)$/

/**
 * The status with the unit's own path in its `Loaded:` line. A line about another unit, about a unit that is not found or masked, and
 * whatever the container has written (which follows the first empty line) stay as they are.
 */
export function withUnitPath(status: string, unitPath: string): string {
  const lines = status.split('\n')
  const index = lines.findIndex(line => line === '' || /^\s*Loaded: /.test(line))
  const [, prefix, shownPath, state] = loadedPattern.exec(lines[index] ?? '') ?? []
  if (prefix === undefined || shownPath === undefined || fileName(shownPath) !== fileName(unitPath)) return status
  return lines.with(index, `${prefix} (${unitPath}; ${state})`).join('\n')
}

/** What systemctl says of a unit whose file is in none of its folders: that it found none. */
const notFoundPattern = /^Unit \S+ could not be found\.\s*$/

/** The status of a unit that has a file which is not linked into systemd: after a purge, say. systemctl does not know of the file. */
export function withUnlinkedUnit(status: string, unitPath: string): string {
  if (!notFoundPattern.test(status)) return status
  return `* ${fileName(unitPath)}\n     Loaded: loaded (${unitPath}; disabled)\n     Active: inactive (dead)\n`
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
