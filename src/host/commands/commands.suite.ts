/** What running a tool means, wherever it runs. `flock`, of util-linux, is everywhere. */
import { expect, test } from 'vitest'
import type { Commands } from './port.ts'

export function commandsSuite(make: () => Commands): void {
  test('a tool that succeeds gives exit code 0 and what it printed', async () => {
    const result = await make().run('flock', ['--version'])
    expect(result.exitCode).toBe(0)
    expect(result.stdout).toContain('util-linux')
  })

  test('a tool that fails is a value: its exit code and what it said', async () => {
    const result = await make().run('flock', ['--no-such-option'])
    expect(result.exitCode).toBeGreaterThan(0)
    expect(result.stderr).toContain('no-such-option')
  })

  test('an aborted run ends with the reason of the abort', async () => {
    const reason = new Error('not wanted any more')
    await expect(make().run('flock', ['--version'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
}
