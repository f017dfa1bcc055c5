import { expect, test } from 'vitest'
import { acceptsOf } from './accept.ts'

test.each([
  ['application/json;stream=true', true],
  ['text/plain;stream=true', true],
  ['text/html, application/json; stream=true', true],
  ['Application/JSON ; Stream = true', true],
  ['text/plain;q=0.5;stream="true"', true],
  ['application/json', false],
  ['application/json;stream=false', false],
  ['text/html;stream=true', false],
  ['stream=true', false],
  ['', false],
])('streaming with Accept %j is allowed: %s', (accept, isStreaming) => {
  expect(acceptsOf({ accept }).isStreaming).toBe(isStreaming)
})

test('a table is for exactly text/plain, data for exactly application/json', () => {
  expect(acceptsOf({ accept: 'text/plain' })).toMatchObject({ isTable: true, isData: false })
  expect(acceptsOf({ accept: 'application/json' })).toMatchObject({ isTable: false, isData: true })
  expect(acceptsOf({ accept: 'text/plain, */*' })).toMatchObject({ isTable: false, isData: false })
})

test.each([
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['*/*;q=0.8', true],
  ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', true],
  ['text/*', true],
  ['text/plain', true],
  ['Text/Plain; charset=utf-8', true],
  ['text/html', false],
  ['application/json', false],
  ['application/json;stream=false', false],
  [',,', false],
])('text is for Accept %j: %s', (accept, isText) => {
  expect(acceptsOf({ accept }).isText).toBe(isText)
})

test('X-Accept stands in for Accept unless it is empty', () => {
  expect(acceptsOf({ accept: 'text/html', xAccept: 'text/plain' }).isTable).toBe(true)
  expect(acceptsOf({ accept: 'text/plain', xAccept: '' }).isTable).toBe(true)
})
