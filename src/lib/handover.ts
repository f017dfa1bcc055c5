/**
 * One producer, one consumer, and nothing in between: what is put waits until it is taken, so a slow consumer holds the producer up. Once the consumer
 * has left, what is put is dropped.
 */
export class Handover<Item> implements AsyncIterable<Item> {
  #offered: { readonly item: Item; readonly taken: () => void } | undefined
  #wake: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined
  #isEnded = false
  #isLeft = false

  /** Resolves when the item is taken, or never will be. One at a time. */
  put(item: Item): Promise<void> {
    if (this.#isLeft || this.#isEnded || this.#failure !== undefined) return Promise.resolve()
    return new Promise(taken => {
      this.#offered = { item, taken }
      this.#wake?.()
    })
  }

  /** What was put before is still taken. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  /** The consumer is thrown this at once, unless the end was reached. */
  fail(error: unknown): void {
    if (!this.#isEnded) this.#failure ??= { error }
    this.#wake?.()
    this.#release()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error
        const offered = this.#offered
        if (offered !== undefined) {
          yield offered.item
          if (this.#offered === offered) this.#offered = undefined
          offered.taken()
          continue
        }
        if (this.#isEnded) return
        const woken = Promise.withResolvers<void>()
        this.#wake = woken.resolve
        await woken.promise
        this.#wake = undefined
      }
    } finally {
      this.#isLeft = true
      this.#release()
    }
  }

  #release(): void {
    this.#offered?.taken()
    this.#offered = undefined
  }
}
