/**
 * Turns. Work is let in by the lane its operation declares: `job`s a few at a time with a bounded line behind them, `stream`s (logs,
 * waits) counted apart so that they never take a job's place, `direct` ones at once. A full lane is an answer, not a wait.
 */
import PQueue from 'p-queue'
import { GearError, limits } from '../api/index.ts'

export type Lane = 'job' | 'stream' | 'direct'

export interface LaneBounds {
  readonly jobsRunning: number
  readonly jobsWaiting: number
  readonly streamsRunning: number
}

/** Seconds after which a refused caller may come again: jobs take milliseconds, streams up to half a minute and more. */
const retryAfterSeconds = { job: 1, stream: 5 } as const

export class Lanes {
  readonly #jobs: PQueue
  readonly #bounds: LaneBounds
  #streams = 0

  constructor(bounds: LaneBounds = limits) {
    this.#jobs = new PQueue({ concurrency: bounds.jobsRunning })
    this.#bounds = bounds
  }

  /** Runs the task when its turn comes and answers what it answers. Rejects with QUEUE_FULL without running it when the lane is full. */
  run<Value>(lane: Lane, task: () => Promise<Value>): Promise<Value> {
    if (lane === 'direct') return task()
    return lane === 'job' ? this.#job(task) : this.#stream(task)
  }

  async #job<Value>(task: () => Promise<Value>): Promise<Value> {
    const isFull = this.#jobs.pending >= this.#bounds.jobsRunning && this.#jobs.size >= this.#bounds.jobsWaiting
    if (isFull) throw full(`${this.#jobs.size} requests wait for their turn already`, 'job')
    return this.#jobs.add(task)
  }

  async #stream<Value>(task: () => Promise<Value>): Promise<Value> {
    if (this.#streams >= this.#bounds.streamsRunning) throw full(`${this.#streams} logs and waits are open already`, 'stream')
    this.#streams += 1
    try {
      return await task()
    } finally {
      this.#streams -= 1
    }
  }
}

function full(why: string, lane: 'job' | 'stream'): GearError {
  return new GearError('QUEUE_FULL', `The agent is busy: ${why}`, { retryAfterSeconds: retryAfterSeconds[lane] })
}
