/** Namespaces of which a test says what answers in them. */
import { Faults } from '../faults.ts'
import { namespaceFailed } from './errors.ts'
import type { Namespaces, Target, TargetAnswer } from './port.ts'

export class FakeNamespaces extends Faults<keyof Namespaces> implements Namespaces {
  /** Processes that are gone. */
  readonly gone = new Set<number>()
  /** `host:port` of what takes connections, in every namespace. */
  readonly answering = new Set<string>()

  async connect(pid: number, targets: readonly Target[]): Promise<readonly TargetAnswer[]> {
    await this.meet('connect', String(pid))
    if (this.gone.has(pid)) throw namespaceFailed(pid, new Error('no such process'))
    return targets.map(({ host, port }) =>
      this.answering.has(`${host}:${port}`) ? { answers: true } : { answers: false, problem: 'the connection was refused' },
    )
  }
}
