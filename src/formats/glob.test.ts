import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globPattern } from './glob.ts'
import { codeUnit } from './test-text.ts'

describe('a pattern of names', () => {
  it.each([
    ['web-*', ['web-', 'web-1', 'web-abc'], ['web', 'xweb-1']],
    ['*', ['', 'web-1'], []],
    ['web-?', ['web-1'], ['web-', 'web-12']],
    ['web-[1-3a]', ['web-1', 'web-3', 'web-a'], ['web-4', 'web-[']],
    ['web-[!1-3]', ['web-4'], ['web-1']],
    ['web-[^1]', ['web-2', 'web-^'], ['web-1']],
    ['a.b', ['a.b'], ['axb']],
    ['a[b', ['a[b'], ['ab']],
    ['[]', ['[]'], ['']],
    ['[z-a]', [], ['z', 'a']],
    ['(a|b)+', ['(a|b)+'], ['a', 'ab']],
  ])('%s', (glob, matching, others) => {
    const pattern = globPattern(glob)
    for (const name of matching) expect(pattern.test(name), name).toBe(true)
    for (const name of others) expect(pattern.test(name), name).toBe(false)
  })

  it('never fails, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: codeUnit, maxLength: 20 }), glob => globPattern(glob) instanceof RegExp))
  })
})
