/**
 * Shares an expensive piece of work between callers who all need it done after they asked. Calls that come while a round waits to begin
 * share it; one that comes while a round runs needs the next, because what it wants seen may have come too late for this one.
 */
export class Rounds<Result = void> {
  readonly #work: () => Promise<Result>
  #running: Promise<Result> | undefined
  #next: Promise<Result> | undefined

  constructor(work: () => Promise<Result>) {
    this.#work = work
  }

  /** Nothing runs and nobody waits. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#next === undefined
  }

  join(): Promise<Result> {
    this.#next ??= this.#begin()
    return this.#next
  }

  async #begin(): Promise<Result> {
    // let callers of this turn of the loop join, then wait for the round that runs, however it ends
    await Promise.resolve()
    while (this.#running !== undefined) await this.#running.catch(() => undefined)
    this.#next = undefined
    this.#running = this.#work()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }
}
