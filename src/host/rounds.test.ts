import { describe, expect, test } from 'vitest'
import { Rounds } from './rounds.ts'

/** Rounds whose work is ended by hand, in order. */
function manualRounds(): { rounds: Rounds; begun: () => number; end: (error?: Error) => Promise<void> } {
  const works: PromiseWithResolvers<void>[] = []
  let ended = 0
  const rounds = new Rounds(() => {
    const work = Promise.withResolvers<void>()
    works.push(work)
    return work.promise
  })
  const end = async (error?: Error): Promise<void> => {
    const work = works[ended++]
    if (error === undefined) work?.resolve()
    else work?.reject(error)
    await new Promise(resolve => setImmediate(resolve))
  }
  return { rounds, begun: () => works.length, end }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('rounds', () => {
  test('callers who come together share one round', async () => {
    const { rounds, begun, end } = manualRounds()
    const calls = [rounds.join(), rounds.join(), rounds.join()]
    await turn()
    expect(begun()).toBe(1)
    await end()
    await Promise.all(calls)
  })

  test('callers who come while a round runs share the next one', async () => {
    const { rounds, begun, end } = manualRounds()
    const first = rounds.join()
    await turn()
    let isSecondDone = false
    const second = Promise.all([rounds.join(), rounds.join()]).then(() => {
      isSecondDone = true
    })
    await turn()
    expect(begun()).toBe(1)
    await end()
    await first
    expect(begun()).toBe(2)
    expect(isSecondDone).toBe(false)
    await end()
    await second
    expect(begun()).toBe(2)
  })

  test('a round that fails fails for those who share it, not for the next', async () => {
    const { rounds, end } = manualRounds()
    const first = rounds.join()
    await turn()
    const second = rounds.join()
    const firstEnds = expect(first).rejects.toThrow('no luck')
    await end(new Error('no luck'))
    await firstEnds
    await end()
    await second
  })
})
