import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { agentUrl, groupByHost, hostNameOf, parseHost, parseLocator, printHost, printLocator } from './locator.ts'
import { failsCleanly, textOfPieces } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const local = { kind: 'local' }
const remote = (name: string, port?: number) => ({ kind: 'remote', name, port })

describe('a locator', () => {
  test.each([
    ['shop-web', 'ctr', local, 'shop-web'],
    ['local/shop-web', 'ctr', local, 'shop-web'],
    ['localhost/shop-web', 'ctr', remote('localhost'), 'shop-web'],
    ['node7/shop-web', 'ctr', remote('node7'), 'shop-web'],
    ['node7:8080/shop-web', 'ctr', remote('node7', 8080), 'shop-web'],
    ['node7:/shop-web', 'ctr', remote('node7'), 'shop-web'],
    ['local:80/shop-web', 'ctr', remote('local', 80), 'shop-web'],
    ['local:/shop-web', 'ctr', remote('local', 43273), 'shop-web'],
    ['10.1.2.3:43273/shop-web.1', 'ctr', remote('10.1.2.3', 43273), 'shop-web.1'],
    ['[::1]:8080/shop-web', 'ctr', remote('::1', 8080), 'shop-web'],
    ['[fe80::1.2.3.4]:/shop-web', 'ctr', remote('fe80::1.2.3.4', 43273), 'shop-web'],
    ['repo://shop-src', 'repo', local, 'shop-src'],
    ['repo://node7:80/shop-src', 'repo', remote('node7', 80), 'shop-src'],
    ['foo://host/abcd', 'foo', remote('host'), 'abcd'],
  ])('%s', (text, type, host, id) => {
    expect(parseLocator(text)).toEqual({ type, host, id })
  })

  test('without a type gets the one of the command', () => {
    expect(parseLocator('a/shop-src', 'repo').type).toBe('repo')
  })

  test.each([
    ['', 'locator'],
    ['a\nb', 'locator'],
    ['x'.repeat(2000), 'locator'],
    ['/abcd', 'locator.host'],
    [' /abcd', 'locator.host'],
    ['://abcd', 'locator.type'],
    ['a/b://abcd', 'locator.type'],
    ['ctr://', 'locator.id'],
    ['host/', 'locator.id'],
    ['host/a/b', 'locator.id'],
    ['::1/abcd', 'locator.host'],
    ['[::1]/abcd', 'locator.host'],
    ['[::1/abcd', 'locator.host'],
    ['[::1]80/abcd', 'locator.host'],
    ['[::1]:80:81/abcd', 'locator.host'],
    ['[::g]:80/abcd', 'locator.host'],
    ['[node7]]:80/abcd', 'locator.host'],
    ['a]:80/abcd', 'locator.host'],
    [':80/abcd', 'locator.host'],
    ['host:0/abcd', 'locator.port'],
    ['host:65536/abcd', 'locator.port'],
    ['host:http/abcd', 'locator.port'],
    ['host:+80/abcd', 'locator.port'],
    ['user@host/abcd', 'locator.host'],
  ])('%.30j is refused', (text, rule) => {
    expect(() => parseLocator(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
  })

  test('is printed as its identity, without the host when that is local', () => {
    expect(printLocator(parseLocator('local/shop-web'))).toBe('ctr://shop-web')
    expect(printLocator(parseLocator('node7:80/shop-web'))).toBe('ctr://node7:80/shop-web')
    expect(printLocator(parseLocator('[::1]:/shop-web'))).toBe('ctr://[::1]:43273/shop-web')
  })
})

describe('a host', () => {
  test('is read alone, as some commands take it', () => {
    expect(parseHost('node7:80')).toEqual(remote('node7', 80))
    expect(parseHost('local')).toEqual(local)
    expect(parseHost('')).toEqual(local)
    expect(() => parseHost('a/b')).toThrow(FormatError)
  })

  test('is printed, resolved and turned into the address of its agent', () => {
    const host = { kind: 'remote', name: '::1', port: undefined } as const
    expect(printHost(host)).toBe('[::1]:43273')
    expect(printHost({ kind: 'local' })).toBe('local')
    expect(hostNameOf({ kind: 'local' })).toBe('localhost')
    expect(hostNameOf(host)).toBe('::1')
    expect(agentUrl(host)).toBe('http://[::1]:43273')
    expect(agentUrl({ kind: 'remote', name: 'node7', port: undefined })).toBe('http://node7:43273')
    expect(agentUrl({ kind: 'remote', name: 'node7', port: 80 })).toBe('http://node7:80')
  })
})

test('locators are grouped by host, hosts in order of first appearance', () => {
  const locators = ['b/one1', 'two2', 'a:80/three', 'b/four', 'a/five', 'local/six6'].map(text => parseLocator(text))
  expect(groupByHost(locators).map(group => [printHost(group.host), group.locators.map(locator => locator.id)])).toEqual([
    ['b', ['one1', 'four']],
    ['local', ['two2', 'six6']],
    ['a:80', ['three']],
    ['a', ['five']],
  ])
})

test('what is printed is read back', () => {
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined })
  const named = fc.record({ kind: fc.constant('remote' as const), name: fc.oneof(fc.domain(), fc.ipV4()), port })
  const addressed = fc.record({ kind: fc.constant('remote' as const), name: fc.ipV6(), port: fc.integer({ min: 1, max: 65535 }) })
  const host = fc.oneof(fc.constant({ kind: 'local' as const }), named, addressed)
  const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{3,23}$/)
  fc.assert(
    fc.property(fc.record({ type: fc.constantFrom('ctr', 'repo', 'router'), host, id: word }), locator => {
      expect(parseLocator(printLocator(locator))).toEqual(locator)
    }),
  )
})

test('nothing but a format error is ever thrown, and what is accepted has a printed form of its own', () => {
  const hostile = textOfPieces('a', '1', ':', '://', '/', '[', ']', '::1', '.', '-', 'local', '80', ' ')
  fc.assert(
    fc.property(hostile, text => {
      failsCleanly(() => {
        const locator = parseLocator(text)
        expect(parseLocator(printLocator(locator))).toEqual(locator)
        if (locator.host.kind === 'remote') expect(URL.canParse(agentUrl(locator.host))).toBe(true)
      })
    }),
    { numRuns: 1000 },
  )
})
