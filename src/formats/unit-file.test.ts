import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'
import {
  escapeSpecifiers,
  parseUnitFile,
  printUnitFile,
  readUnitMetadata,
  readUnitPortPairs,
  type UnitEntry,
  type UnitFile,
  unitValues,
} from './unit-file.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('printing', () => {
  test('keeps the order of sections, keys and repeated keys', () => {
    const unit: UnitFile = {
      sections: [
        {
          name: 'Unit',
          entries: [
            ['Description', 'Container shop-web-1'],
            ['After', 'docker.service'],
          ],
        },
        {
          name: 'Install',
          entries: [
            ['WantedBy', 'container.target'],
            ['X-PortMapping', '8080:4000'],
            ['X-PortMapping', '22:4022'],
            ['X-ContainerUserId', ''],
          ],
        },
      ],
    }
    expect(printUnitFile(unit)).toBe(
      [
        '[Unit]',
        'Description=Container shop-web-1',
        'After=docker.service',
        '',
        '[Install]',
        'WantedBy=container.target',
        'X-PortMapping=8080:4000',
        'X-PortMapping=22:4022',
        'X-ContainerUserId=',
        '',
      ].join('\n'),
    )
  })

  test.each<[string, UnitEntry]>([
    ['a newline', ['Description', 'a\nExecStart=/bin/sh']],
    ['a carriage return, which systemd takes for a line end', ['Description', 'a\rExecStart=/bin/sh']],
    ['NUL', ['Description', 'a\0b']],
    ['a lone surrogate', ['Description', 'a\ud800']],
    ['a space at the beginning', ['Description', ' a']],
    ['a tab at the end', ['Description', 'a\t']],
    ['a backslash at the end', ['Description', 'a\\']],
    ['a key that is not one', ['Exec Start', 'a']],
    ['a key that would be a comment', ['#Description', 'a']],
    ['an empty key', ['', 'a']],
  ])('refuses %s', (_, entry) => {
    expect(() => printUnitFile({ sections: [{ name: 'Unit', entries: [entry] }] })).toThrow(FormatError)
  })

  test.each(['', ' ', 'a]', '[a', 'a\nb'])('refuses the section name %j', name => {
    expect(() => printUnitFile({ sections: [{ name, entries: [] }] })).toThrow(FormatError)
  })

  test('refuses a file longer than a megabyte', () => {
    expect(() => printUnitFile({ sections: [{ name: 'Unit', entries: [['A', 'x'.repeat(1024 * 1024)]] }] })).toThrow('must not be longer')
  })

  test('two backslashes at the end are data', () => {
    expect(printUnitFile({ sections: [{ name: 'Unit', entries: [['A', 'x\\\\']] }] })).toBe('[Unit]\nA=x\\\\\n')
  })

  test('specifiers in plain values are escaped', () => {
    expect(escapeSpecifiers('100% %n')).toBe('100%% %%n')
  })
})

describe('parsing', () => {
  test('follows the example of systemd.syntax(7)', () => {
    const text = [
      '[Section A]',
      'KeyOne=value 1',
      'KeyTwo=value 2',
      '',
      '# a comment',
      '',
      '[Section B]',
      'Setting="something" "some thing" "..."',
      'KeyTwo=value 2 \\',
      '       value 2 continued',
      '',
      '[Section C]',
      'KeyThree=value 3\\',
      '# this line is ignored',
      '; this line is ignored too',
      '       value 3 continued',
    ].join('\n')
    expect(parseUnitFile(text)).toEqual({
      sections: [
        {
          name: 'Section A',
          entries: [
            ['KeyOne', 'value 1'],
            ['KeyTwo', 'value 2'],
          ],
        },
        {
          name: 'Section B',
          entries: [
            ['Setting', '"something" "some thing" "..."'],
            ['KeyTwo', 'value 2         value 2 continued'],
          ],
        },
        { name: 'Section C', entries: [['KeyThree', 'value 3        value 3 continued']] },
      ],
    })
  })

  test('drops spaces around the key and the value, and accepts any line end', () => {
    expect(parseUnitFile('[A]\r\n  x = 1 = 2 \r\ny=\r\n')).toEqual({
      sections: [
        {
          name: 'A',
          entries: [
            ['x', '1 = 2'],
            ['y', ''],
          ],
        },
      ],
    })
  })

  test('a continued line may be the last one', () => {
    expect(parseUnitFile('[A]\nx=1\\')).toEqual({ sections: [{ name: 'A', entries: [['x', '1']] }] })
  })

  test.each([
    ['[A', 1],
    ['[]', 1],
    ['x=1', 1],
    ['[A]\n\n# c\nnonsense', 4],
    ['[A]\n=1', 2],
    ['[A]\nx=1\\\n2\n]', 4],
  ])('%j is refused with its line number', (text, line) => {
    expect(() => parseUnitFile(text)).toThrow(expect.objectContaining({ name: 'FormatError', path: `line ${line}` }))
  })

  test('a file with NUL or beyond a megabyte is refused', () => {
    expect(() => parseUnitFile('[A]\nx=\0')).toThrow(FormatError)
    expect(() => parseUnitFile('#'.repeat(1024 * 1024 + 1))).toThrow(FormatError)
  })

  test('long runs of spaces, backslashes and continued lines take no time to speak of', () => {
    expect(parseUnitFile(`[A]\nx=${' '.repeat(500_000)}y${'\\'.repeat(500_001)}z`).sections).toHaveLength(1)
    expect(parseUnitFile(`[A]\nx=${'\\\n'.repeat(500_000)}`).sections[0]?.entries).toEqual([['x', '']])
  })

  test('values are found by section and key, over sections of one name', () => {
    const unit = parseUnitFile('[S]\na=1\nb=2\n[T]\na=3\n[S]\na=4\n')
    expect(unitValues(unit, 'S', 'a')).toEqual(['1', '4'])
    expect(unitValues(unit, 'S', 'c')).toEqual([])
  })
})

describe('metadata', () => {
  const text = [
    '[Unit]',
    'Description=X-ContainerId=not-this',
    '[Install]',
    'X-ContainerId=shop-web-1',
    ' X-ContainerId=not-this',
    'X-ContainerUserId=',
    'X-PortMapping=8080:4000',
    'X-PortMapping=22:4022, nonsense,1:2:3,0:9,80,443:4443',
    'X-NoValue',
    'nonsense \\',
    'X-ContainerType=simple\r',
    '',
  ].join('\n')

  test('is whatever stands at the start of a line, in any file', () => {
    expect(Object.fromEntries(readUnitMetadata(text))).toEqual({
      'X-ContainerId': ['shop-web-1'],
      'X-ContainerUserId': [''],
      'X-PortMapping': ['8080:4000', '22:4022, nonsense,1:2:3,0:9,80,443:4443'],
      'X-ContainerType': ['simple'],
    })
  })

  test('holds port pairs one per line or as a list, and what is no pair is passed over', () => {
    expect(readUnitPortPairs(text)).toEqual([
      { internal: 8080, external: 4000 },
      { internal: 22, external: 4022 },
      { internal: 443, external: 4443 },
    ])
    expect(readUnitPortPairs('')).toEqual([])
  })
})

const entry = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,9}$/), fc.string({ unit: 'grapheme' }))
  .filter(([, value]) => !/\p{Cc}|\\$/u.test(value) && !/^ | $/.test(value))
const section = fc.record({ name: fc.stringMatching(/^[A-Za-z0-9-]{1,9}$/), entries: fc.array(entry) })

test('what is printed is read back', () => {
  fc.assert(
    fc.property(fc.array(section), sections => {
      expect(parseUnitFile(printUnitFile({ sections }))).toEqual({ sections })
    }),
  )
})

test('nothing but a format error is ever thrown, and whatever could be printed is read back', () => {
  const pieces = fc.constantFrom('[', ']', 'A', '=', '\\', '\n', '\r', ' ', '\t', '#', ';', 'X-PortMapping=', '1:2', ',')
  const text = fc.oneof(
    anyText,
    fc.array(pieces, { maxLength: 40 }).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, text, (first, second) => {
      failsCleanly(() => parseUnitFile(first))
      failsCleanly(() => readUnitPortPairs(first))
      failsCleanly(() => {
        const sections = [{ name: first, entries: [['Key', second] as const] }]
        expect(parseUnitFile(printUnitFile({ sections }))).toEqual({ sections })
      })
    }),
    { numRuns: 500 },
  )
})
