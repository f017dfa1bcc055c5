import { expect, test } from 'vitest'
import { dependenciesPage } from './dependencies.ts'
import { httpPage } from './http.ts'
import { errorsPage, limitsPage } from './tables.ts'

function rows(page: string): readonly string[] {
  return page.split('\n').filter(line => /^\| \[?`/.test(line))
}

test('a limit is told in the largest unit that divides it, a port as it is', () => {
  const why = 'Because.'
  const page = limitsPage({
    one: { value: 102_400, unit: 'bytes', why },
    two: { value: 1_800_000, unit: 'ms', why },
    three: { value: 500, unit: 'ms', why },
    four: { value: 10_000, unit: 'count', why },
    five: { value: 59_999, unit: 'port', why },
  })
  const amounts = rows(page).map(row => row.split(' | ')[1])
  expect(amounts).toEqual(['100 KiB', '30 min', '500 ms', '10 000', '59999'])
})

test('a bar or a line break in a text does not break the table', () => {
  const page = errorsPage({ CODE: { status: 400, shape: 'text', meaning: 'this | that', next: 'first\n  second' } })
  expect(rows(page)).toEqual(['| [`CODE`](errors/CODE.md) | 400 | text | this \\| that | first second |'])
})

test('a dependency is told with those that get exactly that version', () => {
  const page = dependenciesPage({
    packages: {
      '': { dependencies: { a: '1', b: '1' } },
      'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '2' } },
      'node_modules/a/node_modules/b': { version: '2.0.0', license: 'ISC' },
      'node_modules/b': { version: '1.0.0', license: 'MIT', optional: true },
      'node_modules/linter': { version: '1.0.0', license: 'MIT', dev: true },
    },
  })
  expect(rows(page)).toEqual(['| `a` | 1.0.0 | MIT | gear |', '| `b` | 1.0.0 | MIT (optional) | gear |', '| `b` | 2.0.0 | ISC | a |'])
})

test('a field inside of another is told by its path', () => {
  const pair = { type: 'object', required: ['Internal'], properties: { Internal: { type: 'number' } } }
  const page = httpPage({
    info: { description: 'An API.' },
    paths: {
      '/shop': {
        put: {
          operationId: 'putShop',
          summary: 'Open a shop',
          parameters: [],
          requestBody: {
            content: {
              'application/json': { schema: { type: 'object', properties: { Ports: { type: 'array', default: [], items: pair } } } },
            },
          },
          responses: { 204: { description: 'Done.' }, 500: { description: 'SHOP_FULL: No room.\n\nDISK_FULL: No room either.' } },
          'x-effect': 'idempotent',
        },
      },
    },
  })
  expect(page).toContain('| `Ports` | list of object | `[]` |  |\n| `Ports[].Internal` | number | required |  |')
  expect(page).toContain('| 500 |  | `SHOP_FULL` `DISK_FULL` |')
})
