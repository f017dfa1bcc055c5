import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'
import { parseTokenFile, tokenFor } from './token-file.ts'

const agent = (name: string, port = 43273) => ({ name, port })

describe('a token file', () => {
  test('with one token is for every agent', () => {
    const table = parseTokenFile('# ours\n\n  s3cret-s3cret\n')
    expect(tokenFor(table, agent('node7'))).toBe('s3cret-s3cret')
    expect(tokenFor(table, agent('10.1.2.3', 1))).toBe('s3cret-s3cret')
  })

  test('with hosts gives each its own, the closest first', () => {
    const table = parseTokenFile('node7 a\nNode7:43274\tb\n* c\n10.1.2.3 d\n[fd00::1]:43273 e\n')
    expect(tokenFor(table, agent('node7'))).toBe('a')
    expect(tokenFor(table, agent('NODE7', 43274))).toBe('b')
    expect(tokenFor(table, agent('10.1.2.3'))).toBe('d')
    expect(tokenFor(table, agent('fd00::1'))).toBe('e')
    expect(tokenFor(table, agent('node8'))).toBe('c')
  })

  test('has nothing for a host that it does not name', () => {
    expect(tokenFor(parseTokenFile('node7 a\n'), agent('node8'))).toBeUndefined()
  })

  test.each([
    '',
    '\n# only words\n',
    'node7\nnode8 b',
    'a b c',
    'node7 a\nnode7 b',
    'no/host a',
    'node7 t\u00f6ken',
    `node7 ${'x'.repeat(4097)}`,
  ])('%j is none', text => {
    expect(() => parseTokenFile(text)).toThrow(FormatError)
  })

  test('is never quoted when it is wrong', () => {
    const complaint = (text: string) => {
      try {
        parseTokenFile(text)
        return ''
      } catch (error) {
        return JSON.stringify(error) + String(error)
      }
    }
    for (const text of ['s3cret words here', 's3cret\ns3cret', 'bad/host s3cret', 'node7 s3cret\u00e4']) {
      expect(complaint(text)).not.toBe('')
      expect(complaint(text)).not.toContain('s3cret')
    }
  })

  test('throws nothing but its own error', () => {
    fc.assert(
      fc.property(anyText, text => {
        failsCleanly(() => {
          parseTokenFile(text)
        })
      }),
    )
  })
})
