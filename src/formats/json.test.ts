import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { foldKeys, parseFirstJson } from './json.ts'
import { textOfPieces } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

function refusal(text: string): { readonly rule: string; readonly path: string | undefined; readonly message: string } {
  try {
    parseFirstJson(text)
  } catch (error) {
    if (error instanceof FormatError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

describe('the first value', () => {
  test('is read and what follows is ignored', () => {
    expect(parseFirstJson(' {"Image":"a"} {"Image":"b"} rubbish')).toEqual({ Image: 'a' })
    expect(parseFirstJson('[1,2]]')).toEqual([1, 2])
    expect(parseFirstJson('nullx')).toBeNull()
    expect(parseFirstJson('12 34')).toBe(12)
    expect(parseFirstJson('"a"b"')).toBe('a')
  })

  test('is undefined in a text of white space', () => {
    expect(parseFirstJson('')).toBeUndefined()
    expect(parseFirstJson(' \n\r\t')).toBeUndefined()
  })

  test('may be empty or nested', () => {
    expect(parseFirstJson('{}')).toEqual({})
    expect(parseFirstJson('[]')).toEqual([])
    expect(parseFirstJson('{"a":[{},[],{"b":[-1.5e3,true,false,null,"\\u0041\\n"]}]}')).toEqual({
      a: [{}, [], { b: [-1500, true, false, null, 'A\n'] }],
    })
  })
})

describe('refused', () => {
  test.each([
    ['{"a":1,"b":{"a":1,"a":2}}', 'json.duplicate-key', 'b.a'],
    ['{"a":1,"\\u0061":2}', 'json.duplicate-key', 'a'],
    ['{"x":{"__proto__":1}}', 'json.key', 'x.__proto__'],
    ['{"x":["a","\\ud800"]}', 'json.surrogate', 'x[1]'],
    ['["\ud800"]', 'json.surrogate', '[0]'],
    ['{"\\ud800":1}', 'json.surrogate', undefined],
    ['{"n":1e999}', 'json.number', 'n'],
    ['{"a":', 'json.truncated', 'a'],
    ['{"a":"b', 'json.truncated', 'a'],
    ['{"a"', 'json.truncated', 'a'],
    ['{', 'json.truncated', undefined],
    ['[1', 'json.truncated', '[0]'],
    ['[1,]', 'json.syntax', '[1]'],
    ['{"a":1,}', 'json.syntax', undefined],
    ['{a:1}', 'json.syntax', undefined],
    ['{"a" 1}', 'json.syntax', 'a'],
    ['[1 2]', 'json.syntax', '[0]'],
    ["{'a':1}", 'json.syntax', undefined],
    ['["\\x41"]', 'json.syntax', '[0]'],
    ['["a\nb"]', 'json.syntax', '[0]'],
    ['1.', 'json.syntax', undefined],
    ['-', 'json.syntax', undefined],
    ['[01]', 'json.syntax', '[0]'],
    ['}', 'json.syntax', undefined],
    ['\ufeff{}', 'json.syntax', undefined],
    ['{"odd key":[tru]}', 'json.syntax', '["odd key"][0]'],
  ])('%s', (text, rule, path) => {
    expect(refusal(text)).toMatchObject({ rule, path })
  })

  test('nesting over the limit, at any depth, without exhausting the stack', () => {
    expect(parseFirstJson('['.repeat(32) + ']'.repeat(32))).toBeInstanceOf(Array)
    expect(refusal('['.repeat(33) + ']'.repeat(33)).rule).toBe('json.depth')
    expect(refusal('{"a":'.repeat(150_000)).rule).toBe('json.depth')
    expect(() => parseFirstJson('[[]]', { depthMax: 1 })).toThrow('nested more than 1 deep')
  })

  test('texts over the length limit', () => {
    expect(() => parseFirstJson('[1,2,3]', { lengthMax: 6 })).toThrow('must not be longer than 6 characters')
  })

  test('with a message that shows the place and no value', () => {
    const { message } = refusal('{"Variables":[{"Name":"TOKEN",\n"Value":"s3cret" oops}]}')
    expect(message).toBe('Variables[0].Value: not JSON: expected "," or "}" at line 2, column 18')
  })
})

test('a long number and a long string are read without trouble', () => {
  expect(parseFirstJson(`"${'\\n'.repeat(400_000)}"`)).toHaveLength(400_000)
  expect(refusal('9'.repeat(900_000)).rule).toBe('json.number')
})

test('NUL in a string is left to the rules of the field', () => {
  expect(parseFirstJson('"a\\u0000b"')).toBe('a\0b')
})

test('every value that JSON can print is read back, whatever follows it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom('', ' ', '\n{}', ',', ']'), (text, rest) => {
      let value: unknown
      try {
        value = parseFirstJson(text + rest)
      } catch (error) {
        // The generator may make a key that is refused on purpose.
        expect(error).toMatchObject({ rule: 'json.key' })
        return
      }
      expect(value).toEqual(JSON.parse(text))
    }),
  )
})

test('nothing but a format error is ever thrown, and what is accepted as a whole is what JSON accepts', () => {
  const hostile = textOfPieces(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '"a"',
    '"b"',
    '\\',
    '\\u',
    'd800',
    '1',
    '-',
    '.',
    'e',
    'null',
    ' ',
    '\n',
    '\ud800',
  )
  fc.assert(
    fc.property(hostile, text => {
      try {
        parseFirstJson(text)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        if (error.rule === 'json.syntax' || error.rule === 'json.truncated') expect(() => JSON.parse(text)).toThrow(SyntaxError)
      }
    }),
    { numRuns: 2000 },
  )
})

describe('folding keys', () => {
  test('an exact key wins, any other case is good enough, the rest is dropped', () => {
    expect(foldKeys({ image: 'b', Image: 'a', IMAGE: 'c' }, ['Image'])).toEqual({ Image: 'a' })
    expect(foldKeys({ IMAGE: 'c', image: 'b', other: 1 }, ['Image', 'Started'])).toEqual({ Image: 'b' })
  })

  test('null is absent, also when it is the exact key', () => {
    expect(foldKeys({ Ports: null, ports: [] }, ['Ports'])).toEqual({})
    expect(foldKeys({ ports: null }, ['Ports'])).toEqual({})
  })

  test('false, zero and the empty string are values', () => {
    expect(foldKeys({ a: false, b: 0, c: '' }, ['A', 'B', 'C'])).toEqual({ A: false, B: 0, C: '' })
  })

  test('names that every object inherits are not found', () => {
    expect(foldKeys({}, ['constructor', 'toString'])).toEqual({})
  })

  test('anything but an object is refused', () => {
    for (const value of [null, undefined, 1, 'a', [], true]) expect(() => foldKeys(value, ['A'])).toThrow('expected a JSON object')
  })
})
