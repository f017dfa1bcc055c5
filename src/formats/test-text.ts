/** Text for the tests of formats: whatever a caller may send, pairs of surrogates broken apart among it, and what a parser may make of it. */
import fc from 'fast-check'
import { FormatError } from './format-error.ts'

/** Any UTF-16 code unit. fast-check's own `binary` stands for whole code points, and takes a second of each test file to get ready. */
export const codeUnit = fc.nat(0xffff).map(code => String.fromCharCode(code))

export const anyText = fc.string({ unit: codeUnit })

/** Any text, or one that has more of the format in it: these pieces, strung together. */
export function textOfPieces(...pieces: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    anyText,
    fc.array(fc.constantFrom(...pieces)).map(parts => parts.join('')),
  )
}

/** What it does may fail, but with a format error only. */
export function failsCleanly(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
}
