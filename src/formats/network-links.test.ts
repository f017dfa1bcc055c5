import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { isCompleteLink, networkLinksMax, parseNetworkLinkFile, parseNetworkLinks, printNetworkLinkFile } from './network-links.ts'
import { failsCleanly, textOfPieces } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const link = { fromHost: '127.0.0.1', fromPort: 8081, toHost: '10.1.2.3', toPort: 80 }

describe('the text of links', () => {
  test.each([
    ['127.0.0.1:8081:10.1.2.3:80', link],
    ['8081:10.1.2.3:80', link],
    [':8081:10.1.2.3:80', { ...link, fromHost: '' }],
    ['8081:10.1.2.3:', { ...link, toPort: 0 }],
    ['127.0.0.1:8081:10.1.2.3:', { ...link, toPort: 0 }],
    ['8081::80', { ...link, toHost: '' }],
    ['127.0.0.1:8081:10.1.2.3:80:ignored:too', link],
    ['db.local:8081:node_7.example:80', { ...link, fromHost: 'db.local', toHost: 'node_7.example' }],
  ])('%s', (text, expected) => {
    expect(parseNetworkLinks(text)).toEqual([expected])
  })

  test('is a list, and may be empty', () => {
    expect(parseNetworkLinks('8081:10.1.2.3:80,8082:10.1.2.3:81')).toEqual([link, { ...link, fromPort: 8082, toPort: 81 }])
    expect(parseNetworkLinks('')).toEqual([])
  })

  test.each([
    ['8081', 'links.element'],
    ['8081:host', 'links.element'],
    ['8081:host:80,', 'links.element'],
    ['0:host:80', 'links.port'],
    ['8081:host:0', 'links.port'],
    ['8081:host:65536', 'links.port'],
    ['host:8081:80', 'links.port'],
    ['a::b:80', 'links.port'],
    ['a b:8081:host:80', 'links.host'],
    ['8081:-j:80', 'links.host'],
    ['8081:a\nb:80', 'links.host'],
    ['8081:a\tb:80', 'links.host'],
    ['8081:300.1.1.1:80', 'links.host'],
    [`8081:${'a.'.repeat(200)}a:80`, 'links.host'],
    ['1:h:1,'.repeat(networkLinksMax + 1), 'links.element'],
    [`${'1:h:1,'.repeat(networkLinksMax)}1:h:1`, 'links.count'],
    ['x'.repeat(1_000_000), 'links.count'],
  ])('text %# is refused by its rule', (text, rule) => {
    expect(() => parseNetworkLinks(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
  })
})

describe('the file of links', () => {
  test('has one line of four fields per link', () => {
    expect(printNetworkLinkFile([link, { fromHost: '', fromPort: 1, toPort: 0, toHost: '' }])).toBe(
      '127.0.0.1\t8081\t80\t10.1.2.3\n\t1\t0\t\n',
    )
  })

  test('keeps an empty host in its own line', () => {
    expect(parseNetworkLinkFile('\t1\t0\t\n127.0.0.1\t8081\t80\t10.1.2.3')).toEqual([
      { fromHost: '', fromPort: 1, toPort: 0, toHost: '' },
      link,
    ])
  })

  test.each([
    'a 1 2 b\n',
    'a\t1\t2\n',
    'a\t1\t2\tb\tc\n',
    'a\t0\t2\tb\n',
    'a\tx\t2\tb\n',
    'a\t1\t-1\tb\n',
    'a\t1\t2\tb\r\n',
    '$(x)\t1\t2\tb\n',
  ])('%j is refused', text => {
    expect(() => parseNetworkLinkFile(text)).toThrow(FormatError)
  })

  test('never holds a host or port that is not one', () => {
    for (const change of [
      { fromHost: 'a\tb' },
      { toHost: 'a\n' },
      { fromPort: 0 },
      { fromPort: 1.5 },
      { toPort: 65536 },
      { toPort: Number.NaN },
    ]) {
      expect(() => printNetworkLinkFile([{ ...link, ...change }])).toThrow(FormatError)
    }
  })
})

test('a link is complete when it names the host and port it leads to', () => {
  expect(isCompleteLink(link)).toBe(true)
  expect(isCompleteLink({ ...link, toPort: 0 })).toBe(false)
  expect(isCompleteLink({ ...link, toHost: '' })).toBe(false)
})

test('what is printed is read back', () => {
  const host = fc.oneof(fc.constant(''), fc.domain(), fc.ipV4())
  const links = fc.array(
    fc.record({ fromHost: host, fromPort: fc.integer({ min: 1, max: 65535 }), toPort: fc.integer({ min: 0, max: 65535 }), toHost: host }),
  )
  fc.assert(
    fc.property(links, list => {
      expect(parseNetworkLinkFile(printNetworkLinkFile(list))).toEqual(list)
    }),
  )
})

test('nothing but a format error is ever thrown, and what is accepted can be stored', () => {
  const hostile = textOfPieces('a', '1', '80', ':', ',', '\t', '\n', '.', '-', '10.1.2.3', ' ')
  fc.assert(
    fc.property(hostile, text => {
      for (const parse of [parseNetworkLinks, parseNetworkLinkFile]) {
        failsCleanly(() => {
          const links = parse(text)
          expect(parseNetworkLinkFile(printNetworkLinkFile(links))).toEqual(links)
        })
      }
    }),
    { numRuns: 500 },
  )
})
