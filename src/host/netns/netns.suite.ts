/** What looking from inside a network namespace means, wherever it is. */
import { expect, test } from 'vitest'
import { codeOfFailure } from '../suites.ts'
import type { Namespaces, Target } from './port.ts'

export interface NamespaceUnderTest {
  readonly namespaces: Namespaces
  /** A process in the namespace, and one that is gone. */
  readonly pid: number
  readonly gonePid: number
  /** What listens in the namespace, and what does not. */
  readonly open: Target
  readonly closed: Target
}

export function namespacesSuite(make: () => Promise<NamespaceUnderTest>): void {
  const options = { timeoutMs: 5000 }

  test('who takes a connection answers, who does not says why, in the order they were asked', async () => {
    const { namespaces, pid, open, closed } = await make()
    expect(await namespaces.connect(pid, [closed, open, closed], options)).toEqual([
      { answers: false, problem: 'the connection was refused' },
      { answers: true },
      { answers: false, problem: 'the connection was refused' },
    ])
  })

  test('nobody is asked when there are no targets', async () => {
    const { namespaces, pid } = await make()
    expect(await namespaces.connect(pid, [], options)).toEqual([])
  })

  test('a process that is gone has no namespace', async () => {
    const { namespaces, gonePid, open } = await make()
    expect(await codeOfFailure(namespaces.connect(gonePid, [open], options))).toBe('COMMAND_FAILED')
  })
}
