/** The page of the HTTP API, from the OpenAPI document. */
import { code, page, table } from './markdown.ts'

interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly oneOf?: readonly JsonSchema[]
  readonly required?: readonly string[]
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

interface Parameter {
  readonly name?: string
  readonly in?: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: JsonSchema
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
  readonly 'x-effect': string
}

/** As much of OpenAPI as ours has. */
export interface OpenApi {
  readonly info: { readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const effects: Readonly<Record<string, string>> = {
  read: 'Changes nothing.',
  idempotent: 'May be repeated.',
  once: 'Every call does the work again.',
}

export function httpPage({ info, paths }: OpenApi): string {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, operation })),
  )
  const overview = table(
    ['Call', 'What it does'],
    all.map(({ call, operation }) => [`[${code(call)}](#${operation.operationId.toLowerCase()})`, operation.summary]),
  )
  return page(
    'HTTP API',
    `${info.description} The document for programs is \`openapi.json\` here, and \`GET /openapi.json\` on an agent. Codes are explained in [errors](errors.md).`,
    [overview, ...all.map(({ call, operation }) => operationPart(call, operation))],
  )
}

function operationPart(call: string, operation: Operation): string {
  const { operationId, summary, description, requestBody, responses } = operation
  const parameters = operation.parameters.filter(({ name }) => name !== undefined)
  const body = fields(requestBody?.content['application/json']?.schema)
  return [
    `## ${operationId}`,
    code(call),
    `${summary}. ${[description, effects[operation['x-effect']]].filter(text => text !== undefined).join(' ')}`,
    ...(parameters.length === 0 ? [] : [parameterTable(parameters)]),
    ...(body.length === 0 ? [] : [`Body:\n\n${table(['Field', 'Type', 'Default', ''], body)}`]),
    answerTable(responses),
    ...dataTables(responses),
  ].join('\n\n')
}

function parameterTable(parameters: readonly Parameter[]): string {
  return table(
    ['Parameter', 'In', 'Type', ''],
    parameters.map(({ name = '', in: place = '', schema = {}, description = '' }) => [code(name), place, typeOf(schema), description]),
  )
}

function answerTable(responses: Operation['responses']): string {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const codes = [...description.matchAll(/^([A-Z]+(?:_[A-Z]+)*): /gm)].map(([, name = '']) => code(name))
    return [status, Object.keys(content).map(code).join(', '), codes.length === 0 ? description : codes.join(' ')]
  })
  return table(['Status', 'Content', 'Meaning'], rows)
}

/** What the JSON of a success holds. */
function dataTables(responses: Operation['responses']): readonly string[] {
  const schema = responses['200']?.content?.['application/json']?.schema
  // of two forms the first is that of the call itself; the plan of a dry run is the same everywhere
  const rows = fields(schema?.oneOf?.[0] ?? schema)
  return rows.length === 0 ? [] : [`JSON of 200:\n\n${table(['Field', 'Type', 'Default', ''], rows)}`]
}

/** One row for each field, those of inner objects by their path: `Ports[].Internal`. */
function fields(schema: JsonSchema | undefined, prefix = ''): readonly (readonly string[])[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`
    const isRequired = schema?.required?.includes(name) === true
    const fallback = inner.default === undefined ? (isRequired ? 'required' : '') : code(JSON.stringify(inner.default))
    const row = [code(path), typeOf(inner), fallback, inner.description ?? '']
    return [row, ...(inner.type === 'array' ? fields(inner.items, `${path}[].`) : fields(inner, `${path}.`))]
  })
}

function typeOf({ type, enum: values, anyOf, items }: JsonSchema): string {
  if (values !== undefined) return values.map(value => code(JSON.stringify(value))).join(' or ')
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ')
  return type === 'array' ? `list of ${typeOf(items ?? {})}` : (type ?? 'any')
}
