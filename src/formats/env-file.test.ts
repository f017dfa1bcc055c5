import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  latestVariables,
  parseEnvironmentFile,
  parseStoredEnvironment,
  parseVariable,
  printEnvironment,
  variableNameBytesMax,
  variableValueBytesMax,
} from './env-file.ts'
import { FormatError } from './format-error.ts'
import { anyText } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('an argument', () => {
  // The observed behaviour of the original, spec §1.8.
  test.each([
    ['A="B  "', 'A', 'B'],
    ["A='B'", 'A', 'B'],
    ["A='B C'", 'A', "'B C'"],
    ['A="\'B  \'"', 'A', "'B  '"],
    ['A=B=C', 'A', 'B=C'],
    ['A=', 'A', ''],
    ['QUOTED=\\"foo\\"', 'QUOTED', '\\"foo\\"'],
    ['#X=1', '#X', '1'],
    [' \tA=B', 'A', 'B'],
    ['A=  B  ', 'A', 'B'],
    ['A= "B"', 'A', '"B"'],
    ['A="a\\tb\\u00e9\\x41\\101"', 'A', 'a\tbéAA'],
    ['A=`raw\\n "text"`', 'A', 'raw\\n "text"'],
    ['A="B\\n"', 'A', 'B'],
    ["A=''", 'A', ''],
    ['A=\u0085B\u3000', 'A', 'B'],
    ['A=\ufeffB', 'A', '\ufeffB'],
  ])('%j', (text, name, value) => {
    expect(parseVariable(text)).toEqual({ name, value })
  })

  test.each(['', 'shop-web-1', 'host:43273/shop'])('without "=" is no variable: %j', text => {
    expect(parseVariable(text)).toBeUndefined()
  })

  test.each([
    ['A =B', 'environment.name'],
    ['# X=1', 'environment.name'],
    ['export A=B', 'environment.name'],
    ['=B', 'environment.name'],
    ['  =B', 'environment.name'],
    ['A\u00a0B=1', 'environment.name'],
    ['A\n=1', 'environment.name'],
    ['A\0=1', 'environment.name'],
    ['A="x\\ny"', 'environment.value'],
    ['A=x\ny', 'environment.value'],
    ['A="x\\ry"', 'environment.value'],
    ['A="x\\x00y"', 'environment.value'],
    ['A="\\xff"', 'environment.value'],
    ['A=\ud800', 'environment.text'],
    [`A=${'x'.repeat(1_000_000)}`, 'environment.length'],
  ])('variable %# is refused', (text, rule) => {
    expect(() => parseVariable(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
  })

  test('has limits in bytes for name and value', () => {
    expect(parseVariable(`${'é'.repeat(variableNameBytesMax / 2)}=${'é'.repeat(variableValueBytesMax / 2)}`)).toBeDefined()
    expect(() => parseVariable(`${'é'.repeat(variableNameBytesMax / 2)}x=1`)).toThrow('longer than 1024 bytes')
    expect(() => parseVariable(`A=${'é'.repeat(variableValueBytesMax / 2)}x`)).toThrow('the value of A must not be longer than 8192 bytes')
  })

  test('of spaces beyond measure is trimmed at once', () => {
    expect(() => parseVariable(`A=a${' '.repeat(140_000)}b`)).toThrow('longer than 8192 bytes')
  })
})

describe('a file', () => {
  test('of several lines for one name keeps the last, at the place of the first', () => {
    expect(parseEnvironmentFile('A=1\nB=2\r\nA=3').variables).toEqual([
      { name: 'A', value: '3' },
      { name: 'B', value: '2' },
    ])
  })

  test('says which lines hold no variable, and passes over blank lines and comments', () => {
    expect(parseEnvironmentFile('# comment with = sign\n\n  \nnothing\nexport A=B\nC=D\n')).toEqual({
      variables: [{ name: 'C', value: 'D' }],
      skipped: [
        { line: 4, reason: 'it has no "="' },
        { line: 5, reason: 'the name holds a space' },
      ],
    })
  })

  test('is refused for a variable that could not be stored, with its line and without its value', () => {
    expect(() => parseEnvironmentFile('A=1\nTOKEN="s3cret\\nx"')).toThrow(
      'line 2: the value of TOKEN must not hold a line break or NUL: it is stored as one line',
    )
    expect(() => parseEnvironmentFile('=s3cret')).toThrow('line 1: the name of a variable must not be blank')
  })

  test('may begin with a byte order mark', () => {
    expect(parseEnvironmentFile('\ufeffA=1').variables).toEqual([{ name: 'A', value: '1' }])
  })

  test('is refused beyond a megabyte', () => {
    expect(() => parseEnvironmentFile('#'.repeat(1024 * 1024 + 1))).toThrow(FormatError)
  })
})

describe('the stored form', () => {
  test('is raw', () => {
    const variables = [
      { name: 'A', value: '"quoted" \'twice\' \\n ' },
      { name: 'B', value: '' },
      { name: 'A', value: 'x=y' },
    ]
    expect(printEnvironment(variables)).toBe('A="quoted" \'twice\' \\n \nB=\nA=x=y\n')
    expect(parseStoredEnvironment(printEnvironment(variables))).toEqual(variables)
    expect(latestVariables(variables)).toEqual([
      { name: 'A', value: 'x=y' },
      { name: 'B', value: '' },
    ])
  })

  test('never holds what would be another line, or a name that would be read differently', () => {
    for (const variable of [
      { name: 'A', value: '1\nLD_PRELOAD=x' },
      { name: 'A', value: '1\r' },
      { name: 'A\nB', value: '1' },
      { name: 'A=B', value: '1' },
      { name: '', value: '1' },
      { name: '\ufeffA', value: '1' },
    ]) {
      expect(() => printEnvironment([variable])).toThrow(FormatError)
    }
  })

  test('is refused with a line that is no variable', () => {
    expect(() => parseStoredEnvironment('A=1\nPATH\n')).toThrow('line 2: a stored variable must be NAME=VALUE')
  })
})

const name = fc.stringMatching(/^[A-Za-z_#.-][A-Za-z0-9_.-]{0,20}$/)
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  anyText,
  fc.array(fc.constantFrom('"', "'", '`', '\\', 'n', 'x41', ' ', '=', '\n', '\t', 'u00e9')).map(parts => parts.join('')),
)

test('what is printed is read back', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ name, value })), variables => {
      fc.pre(variables.every(variable => variable.value.isWellFormed() && !/[\n\r\0]/.test(variable.value)))
      expect(parseStoredEnvironment(printEnvironment(variables))).toEqual(variables)
    }),
  )
})

test('nothing but a format error is ever thrown, no message shows a value, and what is accepted can be stored', () => {
  fc.assert(
    fc.property(name, value, (given, text) => {
      try {
        const variable = parseVariable(`${given}=S3CRET${text}`)
        if (variable !== undefined) expect(parseStoredEnvironment(printEnvironment([variable]))).toEqual([variable])
        parseEnvironmentFile(text)
        parseVariable(text)
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError)
        expect(`${error}${JSON.stringify(error)}`).not.toContain('S3CRET')
      }
    }),
    { numRuns: 500 },
  )
})
