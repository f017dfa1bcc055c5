/** The machine that the figures are from, and how much of it is taken by other work: before a claim is measured, and meanwhile. */
import { globSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Share of the processors' time that counts as idle enough: a booted host and a desktop's clock take less. */
const idleMax = 0.1
const lookMs = 3000

/**
 * How long all claims of a run together wait for the end of other work, and one of them at most: a machine that stays busy delays a run by minutes, not by
 * as many as there are claims.
 */
export class Patience {
  #leftMs = 180_000
  readonly #oneMs = 60_000

  /** Returns when the machine has nothing else to do, or when it has waited long enough: how long it has. */
  async untilIdle(): Promise<number> {
    const beganMs = performance.now()
    const deadlineMs = beganMs + Math.min(this.#leftMs, this.#oneMs)
    while ((await busyShare()) > idleMax && performance.now() < deadlineMs);
    const waitedMs = performance.now() - beganMs
    this.#leftMs -= waitedMs
    return waitedMs
  }
}

async function busyShare(): Promise<number> {
  const before = processorTimes()
  await sleep(lookMs)
  const after = processorTimes()
  return (after.busyMs - before.busyMs) / (after.allMs - before.allMs)
}

interface Times {
  readonly busyMs: number
  readonly allMs: number
  readonly oursMs: number
}

/** Sees how much of the processors goes to others than the hosts of the lab and this process, from its making on. */
export class OtherWork {
  readonly #hosts: readonly string[]
  readonly #began: Times

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts
    this.#began = this.#read()
  }

  /** The share until now, from 0 to 1. */
  get share(): number {
    const now = this.#read()
    const othersMs = now.busyMs - this.#began.busyMs - (now.oursMs - this.#began.oursMs)
    return Math.max(0, othersMs / (now.allMs - this.#began.allMs))
  }

  #read(): Times {
    const { user, system } = process.cpuUsage()
    return { ...processorTimes(), oursMs: (user + system) / 1000 + this.#hosts.reduce((sum, host) => sum + hostMs(host), 0) }
  }
}

/** What all processes of a lab host have taken since it was made: of their control group, v1 or v2. */
function hostMs(host: string): number {
  const group = `gear-bench.${host}`
  const [v1] = globSync(`/sys/fs/cgroup/cpuacct/${group}/cpuacct.usage`)
  if (v1 !== undefined) return Number(readFileSync(v1, 'utf8')) / 1e6
  const [v2] = globSync(`/sys/fs/cgroup/{${group},machine.slice/${group}.scope}/cpu.stat`)
  if (v2 !== undefined) return Number(/^usage_usec (\d+)$/m.exec(readFileSync(v2, 'utf8'))?.[1]) / 1000
  throw new Error(`the host ${host} has no control group that counts its time`)
}

/** Below a twentieth there are the kernel's own threads, which write what the hosts wrote. */
export function otherWorkText(share: number): string {
  return share < 0.05 ? 'no other work' : `other work on ${Math.round(share * 100)} % of the processors`
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
