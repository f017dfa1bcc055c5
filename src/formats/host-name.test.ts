import { expect, test } from 'vitest'
import { isHostName, isIpv4Address } from './host-name.ts'

test.each(['a', 'node7', 'node-7.example.org', 'my_service', '10.1.2.3', '0.0.0.0', '3com.example', 'a'.repeat(63)])(
  '%s is a host name',
  text => {
    expect(isHostName(text)).toBe(true)
  },
)

test.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  '-a',
  'a-',
  'a b',
  'a/b',
  'a:1',
  '::1',
  'é',
  'a\n',
  '1.2.3',
  '256.1.1.1',
  '01.2.3.4',
  '12',
  'a.1',
  'a.0x1',
  'a'.repeat(64),
])('%j is not a host name', text => {
  expect(isHostName(text)).toBe(false)
})

test('a host name has at most 253 characters', () => {
  const label = 'a'.repeat(63)
  expect(isHostName([label, label, label, 'a'.repeat(61)].join('.'))).toBe(true)
  expect(isHostName([label, label, label, 'a'.repeat(62)].join('.'))).toBe(false)
})

test('an IPv4 address has four parts of at most 255', () => {
  expect(isIpv4Address('255.255.255.255')).toBe(true)
  expect(isIpv4Address('1.2.3.4.5')).toBe(false)
  expect(isIpv4Address('a.b.c.d')).toBe(false)
})
