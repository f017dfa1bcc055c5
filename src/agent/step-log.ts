/**
 * What happens at every step of a plan: a line in the log as a dry run tells it, and in tests of survival a sudden death. With GEARD_FAULT_FILE set
 * (never in production: it lets tests be at every step without timing), a file of that name holding `ID N` makes the process kill
 * itself before step N, from 0, of the steps it takes for container ID while the file is there.
 */
import type { StepLog } from '../domains/index.ts'
import type { Host } from '../host/index.ts'
import { plannedStep } from '../lib/index.ts'
import type { Log } from './log.ts'

export function stepLog({ files }: Pick<Host, 'files'>, log: Log, faultFile: string | undefined): StepLog {
  let fault: string | undefined
  let stepsBegun = 0
  return async (id, step, when) => {
    if (when === 'before') {
      const { kind, on, reason } = plannedStep(step)
      log.debug({ id, step: kind, on, reason }, 'step')
    }
    if (faultFile === undefined || when === 'after') return
    const wanted = (await files.read(faultFile))?.trim()
    if (wanted !== fault) stepsBegun = 0
    fault = wanted
    if (wanted === `${id} ${stepsBegun}`) process.kill(process.pid, 'SIGKILL')
    if (wanted?.startsWith(`${id} `)) stepsBegun += 1
  }
}
