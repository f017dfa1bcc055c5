import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capabilityNames, parseCapabilities, parseCapability } from './capabilities.ts'
import { FormatError } from './format-error.ts'
import { anyText } from './test-text.ts'

test.each([
  ['NET_ADMIN', 'NET_ADMIN'],
  ['cap_net_admin', 'NET_ADMIN'],
  ['Cap_Sys_Chroot', 'SYS_CHROOT'],
  ['all', 'ALL'],
])('%s is %s', (text, name) => {
  expect(parseCapability(text)).toBe(name)
})

test.each(['', 'CAP_', 'NET', 'CAP_CAP_CHOWN', 'CHOWN ', 'NET_ADMIN,CHOWN', '--privileged', 'constructor'])('%j is none', text => {
  expect(() => parseCapability(text)).toThrow(FormatError)
})

test('a list is read in order, and nothing but a format error is ever thrown', () => {
  expect(parseCapabilities('net_admin,CHOWN')).toEqual(['NET_ADMIN', 'CHOWN'])
  expect(parseCapabilities('')).toEqual([])
  expect(parseCapabilities(capabilityNames.join(','))).toEqual(capabilityNames)
  fc.assert(
    fc.property(anyText, text => {
      try {
        expect(capabilityNames as readonly string[]).toContain(parseCapability(text))
      } catch (error) {
        if (text.toUpperCase().replace(/^CAP_/, '') !== 'ALL') expect(error).toBeInstanceOf(FormatError)
      }
    }),
  )
})
