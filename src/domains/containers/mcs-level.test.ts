import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mcsLevel } from './mcs-level.ts'

test('a level has eight categories in order, and is that of the id for ever', () => {
  expect(mcsLevel('shop-web.1')).toMatchInlineSnapshot(`"s0:c54,c154,c227,c263,c525,c691,c842,c907"`)
  fc.assert(
    fc.property(fc.string({ maxLength: 24 }), id => {
      const categories = [...mcsLevel(id).matchAll(/c(\d+)/g)].map(([, number]) => Number(number))
      expect(mcsLevel(id)).toBe(`s0:${categories.map(number => `c${number}`).join(',')}`)
      expect(categories).toEqual([...new Set(categories)].sort((one, other) => one - other))
      expect(categories).toHaveLength(8)
      expect(Math.max(...categories)).toBeLessThan(1024)
      expect(mcsLevel(id)).toBe(mcsLevel(id))
    }),
  )
})

test('no two containers of a large host are alike', () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => `web-${index}`)
  expect(new Set(ids.map(mcsLevel)).size).toBe(ids.length)
})
