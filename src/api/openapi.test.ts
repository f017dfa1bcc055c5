import { expect, test } from 'vitest'
import { contract } from './contract.ts'
import { type ErrorCode, errorCatalogue } from './errors.ts'
import { openApiDocument } from './openapi.ts'
import type { Operation } from './operation.ts'

interface Documented {
  readonly operationId: string
  readonly parameters: readonly { readonly name?: string; readonly in?: string; readonly required?: boolean; readonly $ref?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: unknown }>> }>
  >
}

const document = openApiDocument(contract, '1.2.3') as {
  readonly info: unknown
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>
}

const operations: readonly Operation[] = Object.values<unknown>(contract) as Operation[]

function documented({ path, method }: Operation): Documented {
  const found = document.paths[path.replace('*}', '}')]?.[method.toLowerCase()]
  if (found === undefined) throw new Error(`${method} ${path} is not documented`)
  return found
}

test.each(operations.map(operation => [operation.id, operation] as const))(
  '%s is there with its parameters and every error it declares',
  (id, operation) => {
    const { operationId, parameters, responses } = documented(operation)
    expect(operationId).toBe(id)
    const inPath = parameters.filter(({ in: place }) => place === 'path').map(({ name }) => `{${name}}`)
    expect(operation.path.replace('*}', '}').match(/\{\w+\}/g) ?? []).toEqual(inPath)
    for (const code of operation.errors) expect(responses[errorCatalogue[code].status]?.description).toContain(`${code}: `)
  },
)

test('names in bodies are those of the wire, also deep inside', () => {
  const { requestBody } = documented(contract.installContainer as unknown as Operation)
  expect(requestBody?.content['application/json']?.schema).toMatchObject({
    required: ['Image'],
    properties: { Image: { type: 'string' }, Ports: { items: { properties: { Internal: {}, External: {} }, required: ['Internal'] } } },
  })
})

test('names in queries are as they are', () => {
  const { parameters } = documented(contract.containerLog as unknown as Operation)
  expect(parameters.filter(({ in: place }) => place === 'query').map(({ name, required }) => [name, required])).toEqual([
    ['follow', false],
    ['since', false],
    ['lines', false],
  ])
})

test('each kind of answer is described by its statuses', () => {
  const statuses = (operation: unknown): readonly string[] =>
    Object.keys(documented(operation as Operation).responses).filter(status => status < '300')
  expect(statuses(contract.deleteContainer)).toEqual(['200', '204'])
  expect(statuses(contract.containerPorts)).toEqual(['200'])
  expect(statuses(contract.installContainer)).toEqual(['200', '202', '204'].sort())
  expect(statuses(contract.containerStatus).toSorted()).toEqual(['200', '202', '204'])
})

test('only codes of the catalogue are named, and every reference leads somewhere', () => {
  const text = JSON.stringify(document)
  for (const code of text.match(/"[A-Z]+_[A-Z_]+"/g) ?? []) expect(Object.keys(errorCatalogue)).toContain(JSON.parse(code) as ErrorCode)
  for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    expect(
      path.split('/').reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], document),
      path,
    ).toBeDefined()
  }
})
