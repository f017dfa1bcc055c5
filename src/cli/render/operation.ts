/** An operation of the API in plain text: its call, its fields with their meaning, and what may go wrong. From the OpenAPI document. */
import { dryRunParameter, type Operation, openApiDocument } from '../../api/index.ts'

interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

interface Described {
  readonly parameters: readonly {
    readonly name?: string
    readonly in?: string
    readonly description?: string
    readonly schema?: JsonSchema
  }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: JsonSchema } } }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>>
}

export function operationText(operation: Operation): string {
  const { id, method, path, summary, description, errors } = operation
  const { paths } = openApiDocument({ [id]: operation }, '') as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  }
  // What is built answers the document of all operations, whichever are asked for (tools/build.ts).
  const described = paths[path.replace('*}', '}')]?.[method.toLowerCase()]
  if (described === undefined) throw new Error(`${id} is not in its own document`)
  const named = described.parameters.filter(({ name }) => name !== undefined && name !== dryRunParameter)
  const rows = (place: string) =>
    named.filter(item => item.in === place).map(({ name = '', schema = {}, description: note = '' }) => [name, typeOf(schema), note])
  return [
    `${id}: ${method} ${path}`,
    '',
    `${summary}.${description === undefined ? '' : ` ${description}`}`,
    ...part('Parameters', rows('path')),
    ...part('--query', rows('query')),
    ...part('--field', fields(described.requestBody?.content['application/json'].schema)),
    ...part('Answer', operation.hasDryRun === true ? [] : fields(described.responses['200']?.content?.['application/json']?.schema)),
    ...(operation.hasDryRun === true ? ['', 'It can be planned only: --dry-run.'] : []),
    '',
    `Errors: ${errors.length === 0 ? 'none of its own' : errors.join(', ')} (see: gear explain CODE)`,
    '',
  ].join('\n')
}

function part(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  const widths = [0, 1].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(([name = '', type = '', note = '']) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${type.padEnd(widths[1] ?? 0)}  ${note}`.trimEnd(),
  )
  return ['', `${title}:`, ...lines]
}

/** `Ports[0].Internal`, as --field takes it. */
function fields(schema: JsonSchema | undefined, prefix = ''): readonly (readonly string[])[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`
    const isRequired = schema?.required?.includes(name) === true && inner.default === undefined
    const row = [path, typeOf(inner), `${isRequired ? '(required) ' : ''}${inner.description ?? ''}`]
    return [row, ...(inner.type === 'array' ? fields(inner.items, `${path}[0].`) : fields(inner, `${path}.`))]
  })
}

function typeOf({ type, enum: values, items }: JsonSchema): string {
  if (values !== undefined) return values.map(value => (value === '' ? '""' : String(value))).join('|')
  return type === 'array' ? `list of ${typeOf(items ?? {})}` : (type ?? 'any')
}
