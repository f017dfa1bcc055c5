import { expect, test } from 'vitest'
import { parseTarget, parseTemplate, pathParameters } from './target.ts'

test('a target is taken as it stands: dots and escapes mean themselves', () => {
  expect(parseTarget('/container/../x%2Fy?a=1').path).toBe('/container/../x%2Fy')
})

test('an absolute target gives its host and its path', () => {
  expect(parseTarget('http://node7:43273/containers?all=1')).toEqual({ path: '/containers', authority: 'node7:43273', query: { all: '1' } })
  expect(parseTarget('http://node7').path).toBe('/')
})

test('of a name given twice in a query the first counts', () => {
  expect(parseTarget('/x?all=1&all=0').query).toEqual({ all: '1' })
})

test('a query cannot reach the prototype of anything', () => {
  const { query } = parseTarget('/x?__proto__=1&constructor=2')
  expect(Object.keys(query)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(query)).toBeNull()
})

test('parameters of a path are found by their place', () => {
  const template = parseTemplate('/container/{id}/ports/{port}')
  expect(template.pattern).toBe('/container/:id/ports/:port')
  expect(pathParameters(template, '/container/my-sample.1/ports/80')).toEqual({ id: 'my-sample.1', port: '80' })
})
