/** Running jobs: one unit each, its output as it comes, and how it ended. */
import { GearError, limits, type UnitName } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { linesOfJob } from './output.ts'
import { type JobRequest, jobUnits, transientUnit } from './unit.ts'

type JobHost = Pick<Host, 'units' | 'journal' | 'clock' | 'engines' | 'paths'>

export class Jobs {
  readonly #host: JobHost
  /** Begun by this agent, and perhaps not known to systemd yet. */
  readonly #running = new Set<UnitName>()

  constructor(host: JobHost) {
    this.#host = host
  }

  /**
   * Begins a job and answers its output, which ends with it; one of this id that runs already is joined. The signal ends the following only. Throws
   * QUEUE_FULL; the output throws JOB_FAILED.
   */
  async run(request: JobRequest, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const { units, engines, paths } = this.#host
    const { kind } = await engines.choose()
    const unit = transientUnit(request, { engine: kind, paths })
    const running = new Set([...(await units.list([jobUnits])).map(({ name }) => name), ...this.#running])
    if (!running.has(unit.name) && running.size >= limits.oneOffJobs) {
      throw new GearError('QUEUE_FULL', `${running.size} jobs run already`, { retryAfterSeconds: 10 })
    }
    this.#running.add(unit.name)
    return this.#output(linesOfJob(this.#host, unit, signal), { name: unit.name, image: request.image })
  }

  async *#output(
    { lines, end }: ReturnType<typeof linesOfJob>,
    { name, image }: { readonly name: UnitName; readonly image: string },
  ): AsyncGenerator<string> {
    try {
      for await (const line of lines) yield `${line}\n`
      const { result, exitCode } = await end
      if (result !== 'success') throw new GearError('JOB_FAILED', `The job of ${image} ended with ${endText(result, exitCode)}`)
    } finally {
      this.#running.delete(name)
    }
  }
}

function endText(result: string, exitCode: number | undefined): string {
  return exitCode === undefined || exitCode === 0 ? result : `exit code ${exitCode}`
}
