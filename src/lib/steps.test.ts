import { describe, expect, it } from 'vitest'
import { applySteps } from './steps.ts'

interface Add {
  readonly kind: 'add'
  readonly reason: string
  readonly number: number
}
interface Fail {
  readonly kind: 'fail'
  readonly reason: string
}

function setUp() {
  const seen: string[] = []
  const appliers = {
    add: async (step: Add) => {
      await Promise.resolve()
      seen.push(`add ${step.number}`)
    },
    fail: async () => {
      throw new Error('it fails')
    },
  }
  const apply = (steps: readonly (Add | Fail)[]) =>
    applySteps<Add | Fail>(steps, appliers, (step, when) => void seen.push(`${when} ${step.kind}`))
  return { seen, apply }
}

const add = (number: number): Add => ({ kind: 'add', reason: 'to add', number })
const fail: Fail = { kind: 'fail', reason: 'to fail' }

describe('steps', () => {
  it('are carried out one after the other, each seen before and after', async () => {
    const { seen, apply } = setUp()
    await apply([add(1), add(2)])
    expect(seen).toEqual(['before add', 'add 1', 'after add', 'before add', 'add 2', 'after add'])
  })

  it('end at the first failure, with what was done before it done', async () => {
    const { seen, apply } = setUp()
    await expect(apply([add(1), fail, add(2)])).rejects.toThrow('it fails')
    expect(seen).toEqual(['before add', 'add 1', 'after add', 'before fail'])
  })

  it('wait for an observer that takes its time, and end when it fails', async () => {
    const seen: string[] = []
    const observer = async (_: Add, when: 'before' | 'after') => {
      await Promise.resolve()
      seen.push(when)
      if (when === 'after') throw new Error('the observer fails')
    }
    const steps = applySteps<Add>([add(1), add(2)], { add: async step => void seen.push(`add ${step.number}`) }, observer)
    await expect(steps).rejects.toThrow('the observer fails')
    expect(seen).toEqual(['before', 'add 1', 'after'])
  })
})
