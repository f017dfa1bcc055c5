/**
 * flock(2) by way of the tool of that name, as Node has no call for it. The lock belongs to the open file description, which the tool
 * inherits and we keep: it stays with us after the tool has ended, and goes when our process does, even on SIGKILL.
 */
import { spawn } from 'node:child_process'
import { tools } from '../commands/port.ts'

/** False when somebody else has the lock. */
export function takeFlock(descriptor: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(tools.flock.path, ['--nonblock', '--exclusive', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
      env: {},
    })
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => {
      if (exitCode === 0) resolve(true)
      else if (exitCode === 1) resolve(false)
      else reject(new Error(`${tools.flock.path} ended with ${signal ?? exitCode}`))
    })
  })
}
