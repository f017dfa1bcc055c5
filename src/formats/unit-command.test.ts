import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'
import { argumentBytesMax, printCommand, quoteArgument, splitCommand } from './unit-command.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('quoting an argument', () => {
  test.each([
    ['--env-file', '--env-file'],
    ['/var/lib/containers/env/contents/sh/shop-env', '/var/lib/containers/env/contents/sh/shop-env'],
    ['4000:8080', '4000:8080'],
    ['', '""'],
    ['a b', '"a b"'],
    ['100%', '100%%'],
    ['%n', '%%n'],
    ['$HOME', '$$HOME'],
    [`\${HOME}`, `"$\${HOME}"`],
    ['$', '$$'],
    ['say "hi"', '"say \\"hi\\""'],
    ["it's", '"it\'s"'],
    ['back\\slash', '"back\\\\slash"'],
    [';', '";"'],
    ['a\tb\rc', '"a\\x09b\\x0dc"'],
    ['\u0085', '"\\xc2\\x85"'],
    ['é 😀', '"é 😀"'],
    ['@now', '"@now"'],
  ])('%j is written %s', (text, quoted) => {
    expect(quoteArgument(text)).toBe(quoted)
  })

  test.each(['a\nb', 'a\0b', '\ud800', 'x'.repeat(argumentBytesMax + 1)])('argument %# cannot be given to a program in one line', text => {
    expect(() => quoteArgument(text)).toThrow(FormatError)
  })
})

describe('printing a command', () => {
  test('quotes what needs it', () => {
    expect(printCommand(['/usr/lib/gear/libexec/docker-start', 'shop-web-1', '-v', '/srv/my data:/data'])).toBe(
      '/usr/lib/gear/libexec/docker-start shop-web-1 -v "/srv/my data:/data"',
    )
  })

  test.each([[], [''], ['-/bin/true'], ['true'], ['/bin/my tool'], ['/bin/%n'], ['/bin/$x']])('refuses the program of %j', (...argv) => {
    expect(() => printCommand(argv)).toThrow(expect.objectContaining({ rule: 'unit-command.program' }))
  })

  test('refuses a line beyond a megabyte', () => {
    expect(() => printCommand(['/bin/true', ...Array.from({ length: 10 }, () => 'x'.repeat(argumentBytesMax))])).toThrow(FormatError)
  })
})

describe('splitting a command', () => {
  test.each([
    ['echo one  two\tthree ', ['echo', 'one', 'two', 'three']],
    ['echo / >/dev/null & \\; ls', ['echo', '/', '>/dev/null', '&', ';', 'ls']],
    ['a"b c"d \'e "f\' ""', ['ab cd', 'e "f', '']],
    ['\\x41\\101\\u00e9\\U0001f600\\s\\xc3\\xa9', ['AAé😀 é']],
    ['\'\\\'\' "\\""', ["'", '"']],
    ['100%% $$HOME', ['100%', '$HOME']],
    ['";" a', [';', 'a']],
    ['', []],
  ])('%s', (line, argv) => {
    expect(splitCommand(line)).toEqual(argv)
  })

  test.each([
    'a ; b',
    'a ;',
    '"open',
    "'open",
    'a\\',
    '\\q',
    '\\x4',
    '\\400',
    '\\ud800',
    '\\x00',
    '\\xff',
    '%n',
    '$HOME',
    `\${HOME}`,
    '%',
    'a\nb',
    '\ud800',
  ])('%j is refused', line => {
    expect(() => splitCommand(line)).toThrow(FormatError)
  })
})

const argument = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  anyText,
  fc
    .array(fc.constantFrom('%', '$', '{', '}', '"', "'", '\\', ' ', ';', '\t', '\r', 'a', 'x41', '#', '\u00a0', 'é'))
    .map(parts => parts.join('')),
)

test('a quoted argument is split into itself', () => {
  fc.assert(
    fc.property(fc.array(argument), argv => {
      fc.pre(argv.every(text => text.isWellFormed() && !/[\n\0]/.test(text)))
      expect(splitCommand(argv.map(quoteArgument).join(' '))).toEqual(argv)
    }),
    { numRuns: 500 },
  )
})

test('nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(argument, line => {
      for (const act of [() => splitCommand(line), () => quoteArgument(line), () => printCommand([line])]) {
        failsCleanly(() => {
          act()
        })
      }
    }),
    { numRuns: 500 },
  )
})
