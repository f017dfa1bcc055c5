import { describe, expect, it } from 'vitest'
import { judge } from './finding.ts'

const measured = {
  what: 'an answer',
  unit: 'ms',
  samples: [
    [2, 4],
    [3, 5],
    [2, 9],
  ],
} as const
const peers = [{ name: 'a floor', samples: [[1], [2], [2]] }]

describe('a finding', () => {
  it('keeps a goal that its value just reaches', () => {
    expect(judge({ ...measured, goal: { of: 'p99', atMost: 5 } })).toMatchObject({
      isMet: true,
      judged: { value: 5, lowest: 4, highest: 9 },
    })
    expect(judge({ ...measured, goal: { of: 'p99', atMost: 4.9 } }).isMet).toBe(false)
  })

  it('may have to reach a goal from below', () => {
    expect(judge({ ...measured, peers, goal: { of: 'ratio', atLeast: 2.75 } }).isMet).toBe(true)
    expect(judge({ ...measured, peers, goal: { of: 'ratio', atLeast: 2.8 } }).isMet).toBe(false)
  })

  it('is neither kept nor missed without a goal', () => {
    expect(judge(measured)).toMatchObject({ isMet: undefined, judged: { value: 4 } })
  })

  it('cannot be judged by a ratio to nothing', () => {
    expect(() => judge({ ...measured, goal: { of: 'ratio', atMost: 1 } })).toThrow('needs a peer')
  })
})
