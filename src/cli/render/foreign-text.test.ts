import { expect, test } from 'vitest'
import { GearError } from '../../api/index.ts'
import { errorText } from './errors.ts'
import { foreignText } from './foreign-text.ts'

test('escape sequences of either kind lose what makes them work, and lines stay lines', () => {
  expect(foreignText('a\u001b[31mred\u009b1m\u0007\r\b\tb\nzwölf')).toBe('a?[31mred?1m???\tb\nzwölf')
})

test('an error shows none of those that an image slipped into its message', () => {
  const error = new GearError('START_FAILED', 'unable to find user a\u001b]0;title\u0007')
  expect(errorText(error, 'web-1\u001b[2J')).toMatch(/^Error: web-1\?\[2J: unable to find user a\?\]0;title\?/)
})
