/**
 * One lock per key: tasks of one key run one after the other in the order they came, tasks of different keys beside each other. A failed
 * task frees the lock like any other. Not reentrant: a task that waits for its own key waits for ever.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(key)
    const turn = Promise.withResolvers<void>()
    this.#tails.set(key, turn.promise)
    if (before !== undefined) await before
    try {
      return await task()
    } finally {
      turn.resolve()
      if (this.#tails.get(key) === turn.promise) this.#tails.delete(key)
    }
  }
}
