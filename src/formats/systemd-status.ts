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

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
