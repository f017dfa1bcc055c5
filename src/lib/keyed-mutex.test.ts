import { describe, expect, it } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

describe('KeyedMutex', () => {
  it('runs tasks of one key in the order they came, and of others beside them', async () => {
    const mutex = new KeyedMutex()
    const seen: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = mutex.run('a', async () => {
      await gate.promise
      seen.push('a1')
    })
    const second = mutex.run('a', async () => void seen.push('a2'))
    await mutex.run('b', async () => void seen.push('b'))
    gate.resolve()
    await Promise.all([first, second])
    expect(seen).toEqual(['b', 'a1', 'a2'])
  })

  it('is free again after a task failed', async () => {
    const mutex = new KeyedMutex()
    await expect(mutex.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await mutex.run('a', async () => 'yes')).toBe('yes')
  })
})
