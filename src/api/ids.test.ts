import { describe, expect, it } from 'vitest'
import { containerOfUnit, containerUnit, type Id, isId } from './ids.ts'

describe('ids', () => {
  it.each(['abcd', 'shop-web.1', 'A_b-c.d', '0123456789abcdefghijklmn'])('%s is one', id => {
    expect(isId(id)).toBe(true)
    expect(containerOfUnit(containerUnit(id as Id))).toBe(id)
  })

  it.each(['', 'abc', '0123456789abcdefghijklmno', '..ab', '.abc', '-abc', '_abc', 'ab/cd', 'abcd\n', 'ab cd', 'äbcd', 'abcd\0'])(
    '%j is none',
    id => {
      expect(isId(id)).toBe(false)
      expect(containerOfUnit(`ctr-${id}.service`)).toBeUndefined()
    },
  )

  it('do not appear in units of others', () => {
    expect(containerOfUnit('docker.service')).toBeUndefined()
    expect(containerOfUnit('ctr-abcd.socket')).toBeUndefined()
  })
})
