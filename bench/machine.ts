/** The machine that the figures are from, and whether it has something else to do. */
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Share of the processors' time that counts as idle enough: a booted host and a desktop's clock take less. */
const busyMax = 0.1
const lookMs = 3000
const looksMax = 60

/** Waits for the end of other work, at most three minutes. The share of the processors that is still taken then; 0 when all is well. */
export async function waitUntilIdle(): Promise<number> {
  let busy = 1
  for (let look = 0; look < looksMax; look++) {
    const before = processorTimes()
    await sleep(lookMs)
    const after = processorTimes()
    busy = (after.busyMs - before.busyMs) / (after.allMs - before.allMs)
    if (busy <= busyMax) return 0
  }
  return busy
}

export function otherWorkText(busy: number): string {
  return busy === 0 ? 'none when a claim began' : `${Math.round(busy * 100)} % of the processors when a claim began, at worst`
}

function processorTimes(): { readonly busyMs: number; readonly allMs: number } {
  const times = cpus().map(processor => processor.times)
  const allMs = times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0)
  return { allMs, busyMs: allMs - times.reduce((sum, { idle }) => sum + idle, 0) }
}

export function machineText(): string {
  const model = cpus()[0]?.model ?? 'unknown'
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  return `${model}, ${cpus().length} processors, ${Math.round(totalmem() / 1e9)} GB; ${system}, kernel ${release()}`
}
