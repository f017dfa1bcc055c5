import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../api/index.ts'
import { ReplyMalformed, ReplyReader, requestText } from './http-exchange.ts'

interface Reading {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly body: string
  readonly isComplete: boolean
}

/** Reads pieces, and then the end of the connection. */
function read(...pieces: readonly (string | Buffer)[]): Reading {
  const reader = new ReplyReader()
  const parts = pieces.flatMap(piece => reader.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))
  const isComplete = reader.end()
  const { status, headers } = reader.head ?? { status: undefined, headers: undefined }
  return { status, headers: headers && { ...headers }, body: Buffer.concat(parts).toString('latin1'), isComplete }
}

function lines(...text: readonly string[]): string {
  return text.map(line => `${line}\r\n`).join('')
}

const counted = `${lines('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Content-Length: 5', '')}hello`
const chunked = lines(
  'HTTP/1.1 202 Accepted',
  'Transfer-Encoding: chunked',
  '',
  '3',
  'one',
  '0A;name="v"',
  '0123456789',
  '0',
  'X-Sum: 1',
  '',
)
const untilClose = `${lines('HTTP/1.0 200 OK', '')}to the end`

describe('a request', () => {
  it('has its body, with its length in bytes, on a connection of its own', () => {
    const text = requestText({ method: 'PUT', target: '/a?b=1', host: 'node7:43273', headers: { Accept: 'x' }, payload: '{"N":"ö"}' })
    expect(text).toBe(
      `${lines('PUT /a?b=1 HTTP/1.1', 'Host: node7:43273', 'Accept: x', 'Content-Type: application/json', 'Content-Length: 10', 'Connection: close', '')}{"N":"ö"}`,
    )
  })

  it.each([
    ['GET', false],
    ['DELETE', false],
    ['PUT', true],
    ['POST', true],
    ['PATCH', true],
  ])('%s without a body says so where there could be one', (method, isSaid) => {
    const text = requestText({ method, target: '/', host: 'h', headers: {}, payload: undefined })
    expect(text.includes('Content-Length: 0\r\n')).toBe(isSaid)
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  })

  it.each([
    { target: '/a\r\nX: 1' },
    { target: '/a b' },
    { target: '/ö' },
    { host: 'h\r\n' },
    { headers: { Authorization: 'a\nb' } },
    { headers: { 'X-A\0': 'b' } },
  ])('that would be another one is not written: %j', part => {
    expect(() => requestText({ method: 'GET', target: '/', host: 'h', headers: {}, payload: undefined, ...part })).toThrow('must not have')
  })
})

describe('an answer', () => {
  it('with a length ends there', () => {
    expect(read(counted)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain', 'content-length': '5' },
      body: 'hello',
      isComplete: true,
    })
    expect(read(`${counted}HTTP/1.1 200 OK`)).toEqual(read(counted))
  })

  it('in chunks ends after its trailers, which count for nothing', () => {
    expect(read(chunked)).toEqual({ status: 202, headers: { 'transfer-encoding': 'chunked' }, body: 'one0123456789', isComplete: true })
  })

  it('without a length ends with the connection', () => {
    expect(read(untilClose)).toEqual({ status: 200, headers: {}, body: 'to the end', isComplete: true })
  })

  it.each([
    ['204 No Content', 'Content-Length: 5'],
    ['304 Not Modified', 'Transfer-Encoding: chunked'],
    ['200 OK', 'Content-Length: 0'],
  ])('%s with %s has no body', (status, header) => {
    const reader = new ReplyReader()
    expect(reader.push(Buffer.from(`${lines(`HTTP/1.1 ${status}`, header, '')}hello`))).toEqual([])
    expect(reader.isComplete).toBe(true)
  })

  it('may come after interim ones', () => {
    expect(read(lines('HTTP/1.1 100 Continue', ''), lines('HTTP/1.1 103 Early Hints', 'Link: a', ''), counted)).toEqual(read(counted))
  })

  it('has headers in any case and spacing, repeated ones joined, and none that is special', () => {
    const { headers } = read(lines('HTTP/1.1 204 ', 'X-A:1', 'x-a: \t 2 \t', '__proto__: 3', 'X-Empty:', 'X-Latin: gr\xfc\xdfe', ''))
    expect(Object.entries(headers ?? {})).toEqual([
      ['x-a', '1, 2'],
      ['__proto__', '3'],
      ['x-empty', ''],
      ['x-latin', 'grüße'],
    ])
  })

  it.each(['HTTP/1.1 204', 'HTTP/1.1 204 ', 'HTTP/1.1 204 Nothing at all'])('may begin %j', status => {
    expect(read(lines(status, ''))).toMatchObject({ status: 204, isComplete: true })
  })
})

describe('what is not an answer', () => {
  const ok = 'HTTP/1.1 200 OK'
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['another version', lines('HTTP/2 200', '')],
    ['a status that is no number', lines('HTTP/1.1 OK', '')],
    ['a status that does not exist', lines('HTTP/1.1 600 No', '')],
    ['a status with more digits', lines('HTTP/1.1 2000', '')],
    ['a line before the status', lines('', ok, '')],
    ['a change of protocol', lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: h2c', '')],
    ['lines without a carriage return', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a lone carriage return', lines(`${ok}\rX: 1`, '')],
    ['a NUL', lines(ok, 'X: a\0b', '')],
    ['a header without a colon', lines(ok, 'X', '')],
    ['a header without a name', lines(ok, ': 1', '')],
    ['a space before the colon', lines(ok, 'X : 1', '')],
    ['a folded header', lines(ok, 'X: 1', ' 2', '')],
    ['two lengths', lines(ok, 'Content-Length: 5', 'Content-Length: 5', '')],
    ['a length with a sign', lines(ok, 'Content-Length: +5', '')],
    ['an empty length', lines(ok, 'Content-Length:', '')],
    ['a length beyond all numbers', lines(ok, 'Content-Length: 9999999999999999', '')],
    ['a length and chunks', lines(ok, 'Content-Length: 5', 'Transfer-Encoding: chunked', '')],
    ['another coding', lines(ok, 'Transfer-Encoding: gzip, chunked', '')],
    ['chunks in HTTP/1.0', lines('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked', '')],
    ['a chunk size that is no number', lines(ok, 'Transfer-Encoding: chunked', '', 'x')],
    ['an empty chunk size', lines(ok, 'Transfer-Encoding: chunked', '', '')],
    ['a chunk size beyond all numbers', lines(ok, 'Transfer-Encoding: chunked', '', 'fffffffffffff')],
    ['a chunk that is longer than its size', lines(ok, 'Transfer-Encoding: chunked', '', '3', 'four')],
    ['a trailer that is none', lines(ok, 'Transfer-Encoding: chunked', '', '0', 'X', '')],
  ])('is refused: %s', (_, text) => {
    expect(() => read(text)).toThrow(ReplyMalformed)
    expect(() => read(...text)).toThrow(ReplyMalformed)
  })

  const endless = 'x'.repeat(limits.headerBytes + 1)
  it.each([
    ['a status line', endless],
    ['a header', `${ok}\r\nX: ${endless}`],
    ['headers', `${ok}\r\n${'X: 1\r\n'.repeat(limits.headerBytes)}`],
    ['interim answers', lines('HTTP/1.1 100 Continue', '').repeat(limits.headerBytes)],
    ['a chunk size', lines(ok, 'Transfer-Encoding: chunked', '', `1;${endless}`)],
    ['trailers', lines(ok, 'Transfer-Encoding: chunked', '', '0') + 'X: 1\r\n'.repeat(limits.headerBytes)],
  ])('is refused when it does not end: %s', (_, text) => {
    expect(() => read(text)).toThrow(`more than ${limits.headerBytes} bytes of headers`)
  })

  it('is quoted in short, without what moves a cursor', () => {
    expect(() => read(`\u001b[2J${'a'.repeat(1000)}\r\n`)).toThrow(/^the line "\\u001b\[2Ja{40,60}"$/)
  })
})

describe('any answer', () => {
  const body = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  const cuts = fc.array(fc.nat(2000), { maxLength: 20 })
  const value = fc.string({ unit: fc.constantFrom(...'ab ,;:="\xe4'), maxLength: 20 })

  /** The bytes in pieces that end at the cuts. */
  function cut(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
    const ends = [...new Set(at.map(end => end % (bytes.length + 1))), bytes.length].sort((a, b) => a - b)
    return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
  }

  const answers = fc.record({
    framing: fc.constantFrom('length', 'chunks', 'close'),
    parts: fc.array(body, { maxLength: 5 }),
    header: value,
    digits: fc.constantFrom('', '0', '000'),
  })

  function write({ framing, parts, header, digits }: typeof answers extends fc.Arbitrary<infer Each> ? Each : never): Buffer {
    const whole = Buffer.concat(parts)
    const how = { length: `Content-Length: ${whole.length}`, chunks: 'Transfer-Encoding: Chunked', close: 'X-B: none' }[framing]
    const head = Buffer.from(lines('HTTP/1.1 200 OK', `X-A: ${header}`, how, ''), 'latin1')
    if (framing !== 'chunks') return Buffer.concat([head, whole])
    const chunks = parts
      .filter(part => part.length > 0)
      .flatMap(part => [Buffer.from(`${digits}${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
    return Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')])
  }

  it('is read the same wherever it is cut', () => {
    fc.assert(
      fc.property(answers, cuts, (answer, at) => {
        const got = read(...cut(write(answer), at))
        expect(got).toMatchObject({ status: 200, body: Buffer.concat(answer.parts).toString('latin1'), isComplete: true })
        expect(got.headers?.['x-a']).toBe(answer.header.trim())
        expect(read(...write(answer).toString('latin1'))).toEqual(got)
      }),
    )
  })

  it('that was cut short is known to be so, unless only its end tells', () => {
    fc.assert(
      fc.property(answers, fc.nat(), (answer, length) => {
        const bytes = write(answer)
        const got = read(bytes.subarray(0, length % bytes.length))
        expect(got.isComplete && answer.framing !== 'close').toBe(false)
        expect(Buffer.concat(answer.parts).toString('latin1').startsWith(got.body)).toBe(true)
      }),
    )
  })

  it('of any bytes is read or refused, and never more is given than came', () => {
    const nearly = fc.tuple(answers.map(write), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })).map(([bytes, changes]) => {
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(nearly, body), cuts, (bytes, at) => {
        const outcomes = [[bytes], cut(bytes, at)].map(pieces => {
          try {
            return read(...pieces)
          } catch (error) {
            expect(error).toBeInstanceOf(ReplyMalformed)
            return 'refused'
          }
        })
        expect(outcomes[1]).toEqual(outcomes[0])
        const [outcome] = outcomes
        if (outcome !== undefined && outcome !== 'refused') expect(outcome.body.length).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})
