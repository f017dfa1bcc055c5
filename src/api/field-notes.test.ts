import { expect, test } from 'vitest'
import { contract } from './contract.ts'
import { fieldNotes } from './field-notes.ts'
import { openApiDocument } from './openapi.ts'

interface Described {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Described>>
  readonly items?: Described
  readonly oneOf?: readonly Described[]
}

/** Paths of all properties below a schema, and whether each has words. */
function fields(schema: Described, path = ''): readonly (readonly [path: string, isDescribed: boolean])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    [path + name, inner.description !== undefined] as const,
    ...fields(inner, `${path}${name}.`),
  ])
  const inner = [...(schema.items === undefined ? [] : [schema.items]), ...(schema.oneOf ?? [])]
  return [...own, ...inner.flatMap(each => fields(each, path))]
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Described }>>
}

interface Call {
  readonly parameters: readonly { readonly name?: string; readonly description?: string }[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

test('every field and parameter is explained, and nothing else is', () => {
  const { paths } = openApiDocument(contract, 'test') as { readonly paths: Readonly<Record<string, Readonly<Record<string, Call>>>> }
  const calls = Object.values(paths).flatMap(path => Object.values(path))
  const successes = calls.flatMap(({ responses }) =>
    Object.entries(responses).flatMap(([status, answer]) => (status < '300' ? [answer] : [])),
  )
  const bodies = calls.flatMap(({ requestBody }) => requestBody ?? [])
  const found = [...successes, ...bodies].flatMap(({ content = {} }) => Object.values(content).flatMap(({ schema }) => fields(schema)))
  const parameters = calls
    .flatMap(call => call.parameters)
    .flatMap(({ name, description }) => (name === undefined ? [] : [[name, description !== undefined] as const]))
  const all = [...found, ...parameters]
  expect(all.filter(([, isDescribed]) => !isDescribed).map(([path]) => path)).toEqual([])
  const used = new Set(all.map(([path]) => path))
  expect(Object.keys(fieldNotes).filter(path => !used.has(path))).toEqual([])
})
