import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'
import { checkUnitName, escapeBusLabel, unescapeBusLabel, unitNameOfObjectPath, unitObjectPath } from './unit-name.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

test('the object path of a unit is the one systemd uses', () => {
  expect(unitObjectPath('ctr-shop_web-1.a.service')).toBe('/org/freedesktop/systemd1/unit/ctr_2dshop_5fweb_2d1_2ea_2eservice')
  expect(unitObjectPath('1-2@x.service')).toBe('/org/freedesktop/systemd1/unit/_31_2d2_40x_2eservice')
  expect(unitObjectPath('dev-disk-by\\x2did.device')).toBe('/org/freedesktop/systemd1/unit/dev_2ddisk_2dby_5cx2did_2edevice')
})

test('an object path leads back to its unit', () => {
  expect(unitNameOfObjectPath('/org/freedesktop/systemd1/unit/ctr_2dshop_5fweb_2d1_2ea_2eservice')).toBe('ctr-shop_web-1.a.service')
  expect(() => unitNameOfObjectPath('/org/freedesktop/systemd1/job/12')).toThrow(FormatError)
})

test('an empty label is a lone underscore', () => {
  expect(escapeBusLabel('')).toBe('_')
  expect(unescapeBusLabel('_')).toBe('')
})

test.each(['', 'a_', 'a_2', 'a_2D', 'a-b', '_ff', 'a'.repeat(1000)])('the label %.20j cannot be unescaped', label => {
  expect(() => unescapeBusLabel(label)).toThrow(FormatError)
})

test('every text is escaped to letters, digits and underscores, and found again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      const label = escapeBusLabel(text)
      expect(label).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/)
      expect(unescapeBusLabel(label)).toBe(text)
    }),
  )
})

test.each(['', 'a', 'a.b', '.service', 'a b.service', 'a/b.service', `${'a'.repeat(250)}.service`])(
  '%.20j is not the name of a unit',
  name => {
    expect(() => checkUnitName(name)).toThrow(FormatError)
  },
)

test('nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(anyText, text => {
      for (const act of [escapeBusLabel, unescapeBusLabel, unitObjectPath, unitNameOfObjectPath]) {
        failsCleanly(() => {
          act(text)
        })
      }
    }),
  )
})
