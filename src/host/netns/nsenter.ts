/**
 * Connections from inside another network namespace. A thread of Node cannot enter one, so a second Node does, started there by nsenter with
 * the program below as its argument: it is small, and needs no file that the container could have changed.
 */
import type { Commands } from '../commands/port.ts'
import { namespaceFailed } from './errors.ts'
import type { Namespaces, TargetAnswer } from './port.ts'

export function linuxNamespaces(commands: Commands): Namespaces {
  return {
    async connect(pid, targets, { timeoutMs }) {
      if (targets.length === 0) return []
      const places = targets.map(({ host, port }) => `${host}:${port}`)
      const program = `(${tryTargets.toString()})(process.argv.slice(1))`
      const args = [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', program, '--', String(timeoutMs), ...places]
      const { exitCode, stdout, stderr } = await commands.run('nsenter', args)
      if (exitCode !== 0) throw namespaceFailed(pid, new Error(stderr.trim()))
      return JSON.parse(stdout) as readonly TargetAnswer[]
    },
  }
}

/** Runs in the other process, so it must not use anything of this file. */
async function tryTargets([timeoutMs, ...places]: readonly string[]): Promise<void> {
  const { connect } = process.getBuiltinModule('node:net')
  const tryOne = (place: string): Promise<TargetAnswer> =>
    new Promise(resolve => {
      const colon = place.lastIndexOf(':')
      const socket = connect({ host: place.slice(0, colon), port: Number(place.slice(colon + 1)), family: 4 })
      const end = (answer: TargetAnswer): void => {
        resolve(answer)
        socket.destroy()
      }
      const words: Readonly<Record<string, string>> = {
        ECONNREFUSED: 'the connection was refused',
        EHOSTUNREACH: 'there is no route to it',
        ENETUNREACH: 'there is no route to it',
        ETIMEDOUT: 'it took too long',
        ENOTFOUND: 'the name is not known',
      }
      socket.setTimeout(Number(timeoutMs), () => end({ answers: false, problem: `no answer within ${Number(timeoutMs) / 1000} s` }))
      socket.once('connect', () => end({ answers: true }))
      socket.once('error', (error: NodeJS.ErrnoException) => end({ answers: false, problem: words[error.code ?? ''] ?? error.message }))
    })
  process.stdout.write(JSON.stringify(await Promise.all(places.map(tryOne))))
}
