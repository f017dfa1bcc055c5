/**
 * Request ids: 16 random bytes, written as 22 characters of base64url. The original's clients also send them as 32 hexadecimal
 * digits or as base64url with its padding; inside there is one form only, because the text is the key that finds a repeated request.
 */
import { FormatError, quoted } from './format-error.ts'

const requestIdBytes = 16

/** Reads any of the three spellings; the answer is the 22 characters. */
export function parseRequestId(text: string): string {
  return newRequestId(decodeRequestId(text))
}

export function decodeRequestId(text: string): Uint8Array {
  if (/^[0-9A-Fa-f]{32}$/.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  if (/^[A-Za-z0-9_-]{22}(?:==)?$/.test(text)) return new Uint8Array(Buffer.from(text, 'base64url'))
  throw new FormatError(
    'request-id',
    `a request id must be 16 bytes as 22 characters of base64url or 32 hexadecimal digits, not ${quoted(text)}`,
    {
      input: text,
    },
  )
}

/** The text of an id made of 16 bytes, which the caller draws at random. */
export function newRequestId(random: Uint8Array): string {
  if (random.length !== requestIdBytes) throw new FormatError('request-id', `a request id has 16 bytes, not ${random.length}`)
  return Buffer.from(random).toString('base64url')
}
