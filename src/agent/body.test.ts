import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parseBody, readBody } from './body.ts'

describe('a body', () => {
  function incoming(
    chunks: readonly string[],
    headers: Readonly<Record<string, string>> = { 'transfer-encoding': 'chunked' },
  ): IncomingMessage {
    const message = new IncomingMessage(new Socket())
    Object.assign(message.headers, headers)
    for (const chunk of chunks) message.push(Buffer.from(chunk))
    message.push(null)
    return message
  }

  test('is put together from its chunks', async () => {
    expect(String(await readBody(incoming(['{"a":', '1}'])))).toBe('{"a":1}')
  })

  test('may be empty, announced or chunked', async () => {
    expect((await readBody(incoming([], {}))).length).toBe(0)
    expect((await readBody(incoming([], { 'content-length': '0' }))).length).toBe(0)
    expect((await readBody(incoming([]))).length).toBe(0)
  })

  test('of exactly the limit is read, one byte more is refused', async () => {
    expect((await readBody(incoming(['x'.repeat(10)]), 10)).length).toBe(10)
    await expect(readBody(incoming(['x'.repeat(6), 'x'.repeat(5)]), 10)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
    await expect(readBody(incoming([], { 'content-length': '11' }), 10)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
  })

  test('that breaks off is refused', async () => {
    const message = new IncomingMessage(new Socket())
    message.headers['transfer-encoding'] = 'chunked'
    const body = readBody(message)
    message.push(Buffer.from('{"a"'))
    message.destroy()
    await expect(body).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})

test.each(['', ' \n', 'null', '{}', '{} trailing'])('%j stands for no fields', text => {
  expect(parseBody(Buffer.from(text))).toEqual({})
})

test.each([
  '[]',
  '"text"',
  '1',
  'true',
  '{"a"',
  '{"a":1,"a":2}',
  '{"__proto__":1}',
  '"\\ud800"',
  '{"a":"\\ud800"}',
  '\u0000',
  `${'['.repeat(40)}`,
])('%j is refused', text => {
  expect(() => parseBody(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
})

test('bytes that are not UTF-8 are refused, the replacement character itself is not', () => {
  expect(() => parseBody(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow('UTF-8')
  expect(parseBody(Buffer.from('{"a":"\ufffd"}'))).toEqual({ a: '\ufffd' })
})
