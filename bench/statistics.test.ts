import { describe, expect, it } from 'vitest'
import { figure, median, percentile, ratio } from './statistics.ts'

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe('a percentile', () => {
  it('is a sample that was seen, whatever the order they came in', () => {
    expect(percentile([40, 10, 30, 20], 0.5)).toBe(20)
    expect(percentile([30, 10, 20], 0.5)).toBe(20)
  })

  it('leaves the given fraction of the samples at or below it', () => {
    expect(percentile(upTo(200), 0.99)).toBe(198)
    expect(percentile(upTo(200), 0)).toBe(1)
    expect(percentile(upTo(200), 1)).toBe(200)
  })

  it('is the slowest sample when there are too few for anything finer', () => {
    expect(percentile(upTo(20), 0.99)).toBe(20)
  })

  it('does not exist without samples', () => {
    expect(() => percentile([], 0.5)).toThrow('there are no samples')
  })
})

describe('a median', () => {
  it('is the middle sample, and between two the mean of both', () => {
    expect(median([40, 10, 30])).toBe(30)
    expect(median([40, 10, 30, 20])).toBe(25)
    expect(median([7])).toBe(7)
  })
})

describe('a figure', () => {
  it('tells the middle repetition and how far the others lie apart', () => {
    const { median, p99 } = figure([
      [1, 2, 9],
      [3, 4, 5],
      [2, 3, 30],
    ])
    expect(median).toEqual({ value: 3, lowest: 2, highest: 4 })
    expect(p99).toEqual({ value: 9, lowest: 5, highest: 30 })
  })

  it('counts repetitions and samples', () => {
    expect(figure([[1, 2], [3]])).toMatchObject({ repetitions: 2, samples: 3 })
  })
})

describe('a ratio', () => {
  it('compares each repetition with the one of the peer at the same time', () => {
    const slowMoment = 10
    const ours = [[3], [3 * slowMoment], [4]]
    const peers = [[2], [2 * slowMoment], [2]]
    expect(ratio(ours, peers)).toEqual({ value: 1.5, lowest: 1.5, highest: 2 })
  })

  it('does not exist to nothing', () => {
    expect(ratio([[3], [3]], [[2], [0]])).toBeUndefined()
  })

  it('is refused between different numbers of repetitions', () => {
    expect(() => ratio([[1], [2]], [[1]])).toThrow('2 repetitions cannot be compared with 1')
  })
})
