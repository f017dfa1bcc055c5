/**
 * How fakes fail: a test names an operation and what it is done to, and the next such call throws, or is held until it is let go.
 * Every fake of a port extends this.
 */

interface Fault<Operation> {
  readonly operation: Operation
  readonly subject: string
  /** Calls it still applies to. */
  times: number
  readonly act: () => Promise<void>
}

export class Faults<Operation extends string> {
  readonly #faults = new Set<Fault<Operation>>()
  readonly #calls: string[] = []

  /** The next call of the operation on the subject (`*`: any) throws the error; `times` calls if given. */
  fail(operation: Operation, subject: string, error: Error, times = 1): void {
    this.#faults.add({ operation, subject, times, act: () => Promise.reject(error) })
  }

  /** The next call of the operation on the subject waits until the function returned is called. */
  hold(operation: Operation, subject = '*'): () => void {
    const gate = Promise.withResolvers<void>()
    this.#faults.add({ operation, subject, times: 1, act: () => gate.promise })
    return gate.resolve
  }

  /** No fault is left. Calls that are held stay held. */
  heal(): void {
    this.#faults.clear()
  }

  /** Every call that came, as `operation subject`, in order. */
  get calls(): readonly string[] {
    return this.#calls
  }

  forgetCalls(): void {
    this.#calls.length = 0
  }

  /** Called by a fake at the start of an operation. */
  protected async meet(operation: Operation, subject = ''): Promise<void> {
    this.#calls.push(subject === '' ? operation : `${operation} ${subject}`)
    for (const fault of this.#faults) {
      if (fault.operation !== operation || (fault.subject !== '*' && fault.subject !== subject)) continue
      if (--fault.times === 0) this.#faults.delete(fault)
      return fault.act()
    }
  }
}
