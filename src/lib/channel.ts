/**
 * Many producers, one consumer: items are pushed from anywhere and iterated in that order. Bounded: when the consumer is slower than
 * `capacity` allows, the oldest items go, since what is newest matters in the streams this is used for.
 */
export class Channel<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = []
  readonly #capacity: number
  #wake: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined
  #isEnded = false

  constructor(capacity = 10_000) {
    this.#capacity = capacity
  }

  push(item: Item): void {
    if (this.#items.length >= this.#capacity) this.#items.shift()
    this.#items.push(item)
    this.#wake?.()
  }

  /** What is pushed already is still iterated; then the iteration throws. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  /** What is pushed already is still iterated; then the iteration is done. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  /** Takes everything that waits. */
  drain(): readonly Item[] {
    return this.#items.splice(0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      if (this.#items.length > 0) {
        yield this.#items.shift() as Item
        continue
      }
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#isEnded) return
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      await woken.promise
      this.#wake = undefined
    }
  }
}
