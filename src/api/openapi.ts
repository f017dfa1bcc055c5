/**
 * The contract as an OpenAPI 3.1 document: names as on the wire, every answer of spec §3.3 an operation may give, and its errors by status
 * with their codes. Made when it is asked for; nothing in it is written twice.
 */
import * as z from 'zod/mini'
import { dryRunParameter, planData } from './dry-run.ts'
import { type ErrorCode, errorCatalogue } from './errors.ts'
import { fieldNotes } from './field-notes.ts'
import { limits } from './limits.ts'
import type { Operation, Schema } from './operation.ts'
import { wireName } from './wire.ts'

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI 3.1 document of a contract; made anew at each call. */
export function openApiDocument(operations: Readonly<Record<string, unknown>>, version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of Object.values(operations) as Operation[]) {
    const path = operation.path.replace('*}', '}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'gear',
      version,
      description:
        'Installs container images as systemd services on this host. Keys of request bodies match in any case; unknown ones are ignored. Text is streamed to callers whose Accept has the parameter `stream=true`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      headers: {
        RequestId: {
          description: 'The id of the request, as given or made by the agent.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' },
        },
      },
      parameters: {
        RequestId: {
          name: 'X-Request-Id',
          in: 'header',
          description:
            'An id of 16 random bytes. The same request with the same id again is attached to the first one and not carried out twice.',
          schema: { type: 'string' },
        },
      },
      schemas: { Failure: failureSchema, RouteFailure: routeFailureSchema },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'On listeners with a token. Others know their callers by the user id at the other end.',
        },
      },
    },
    security: [{}, { token: [] }],
  }
}

const failureSchema: Json = {
  type: 'object',
  required: ['Message', 'Code', 'Next', 'RequestId'],
  properties: {
    Message: { type: 'string', description: 'What was attempted and why it failed.' },
    Data: { description: 'More for programs.' },
    Code: { type: 'string', enum: Object.keys(errorCatalogue) },
    Next: { type: 'string', description: 'What to do.' },
    RequestId: { type: 'string' },
    Fields: {
      type: 'array',
      items: { type: 'object', required: ['Field', 'Rule'], properties: { Field: { type: 'string' }, Rule: { type: 'string' } } },
    },
  },
}

const routeFailureSchema: Json = { type: 'object', required: ['Error'], properties: { Error: { type: 'string' } } }

const dryRunObject: Json = {
  name: dryRunParameter,
  in: 'query',
  required: false,
  description: fieldNotes[dryRunParameter],
  schema: { type: 'string', enum: ['', '0', '1', 'true', 'false'] },
}

function operationObject(operation: Operation): Json {
  const { id, summary, description, path, body } = operation
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [path.split('/')[1] ?? ''],
    parameters: [
      ...parameters(operation.params, 'path'),
      ...parameters(operation.query, 'query'),
      ...(operation.hasDryRun === true ? [dryRunObject] : []),
      { $ref: '#/components/parameters/RequestId' },
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: `The first JSON value counts, whatever the content type; at most ${limits.bodyBytes} bytes. No body stands for {}.`,
            content: { 'application/json': { schema: jsonSchema(body, 'input', true) } },
          },
        }),
    responses: { ...(operation.hasDryRun === true ? withDryRun(successes(operation)) : successes(operation)), ...failures(operation) },
    'x-effect': operation.effect,
  }
}

/** Names in paths and queries are as they are declared. */
function parameters(schema: Schema<unknown>, place: 'path' | 'query'): readonly Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', false) as {
    readonly properties?: Readonly<Record<string, Json>>
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: property,
  }))
}

function jsonSchema(schema: Schema<unknown>, io: 'input' | 'output', hasWireNames: boolean): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      delete made.additionalProperties
      if (!hasWireNames || made.properties === undefined) return
      made.properties = Object.fromEntries(Object.entries(made.properties).map(([name, inner]) => [wireName(name), inner]))
      if (made.required !== undefined) made.required = made.required.map(wireName)
    },
  })
  addNotes(rest, '')
  return rest
}

/** Gives every property its words, by the path of names that leads to it. */
function addNotes(schema: Json, path: string): void {
  const { properties, items } = schema as {
    readonly properties?: Readonly<Record<string, { description?: string }>>
    readonly items?: Json
  }
  for (const [name, property] of Object.entries(properties ?? {})) {
    const note = fieldNotes[path + name]
    if (note !== undefined) property.description = note
    addNotes(property as Json, `${path}${name}.`)
  }
  if (items !== undefined) addNotes(items, path)
}

function successes({ reply, method, effect }: Operation): Readonly<Record<string, Json>> {
  const plainText = { 'text/plain': { schema: { type: 'string' } } }
  switch (reply.kind) {
    case 'data': {
      const content = { 'application/json': { schema: jsonSchema(reply.schema, 'output', true) } }
      return { 200: success('The result.', reply.table === undefined ? content : { ...content, ...plainText }) }
    }
    case 'events':
      return {
        200: success('Events as they happen, one JSON object a line, each of this schema.', {
          'application/json': { schema: jsonSchema(reply.schema, 'output', true) },
        }),
      }
    case 'session':
      return {
        101: success(
          'The session is open. Both sides send frames: a byte for the kind, four for the length of what follows (big-endian), and that. From the caller: 0 the body of this call as JSON, which comes first; 1 input; 2 end of the input; 3 size of the terminal, {"Columns", "Rows"}. From the agent: 16 stdout, 17 stderr, 18 {"ExitCode"} as the last, 19 instead of it a failure as other calls have it.',
        ),
      }
    case 'bytes': {
      const file = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
      return {
        200: success('The file, with its own content type.', file),
        202: success('The same bytes, for callers that take a stream.', plainText),
      }
    }
    case 'text': {
      const data = reply.data === undefined ? {} : { 'application/json': { schema: jsonSchema(reply.data, 'output', true) } }
      const isPlain = method === 'GET'
      return {
        202: success(
          'Text as it comes, for callers that take a stream. A failure after the beginning is a last line `Error: …`.',
          plainText,
        ),
        ...(isPlain ? { 200: success('The text, for callers whose Accept is absent, */* or text/plain.', { ...plainText, ...data }) } : {}),
        204: success(effect === 'read' ? 'For callers that take neither.' : 'Done, for callers that do not take a stream.'),
      }
    }
    default:
      return { 204: success('Done.') }
  }
}

function success(description: string, content?: Json): Json {
  return {
    description,
    headers: { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } },
    ...(content === undefined ? {} : { content }),
  }
}

/** Besides its own errors, those that any request of its kind may meet. */
function failures(operation: Operation): Readonly<Record<string, Json>> {
  const { reply, lane, body } = operation
  const general: readonly (ErrorCode | false)[] = [
    'INPUT_INVALID',
    body !== undefined && 'BODY_TOO_LARGE',
    'REQUEST_ID_INVALID',
    'REQUEST_ID_REUSED',
    'CALLER_REFUSED',
    'TOKEN_REQUIRED',
    'BROWSER_REFUSED',
    (reply.kind === 'events' || reply.kind === 'bytes' || (reply.kind === 'data' && reply.table === undefined)) && 'NOT_ACCEPTABLE',
    lane !== 'direct' && 'QUEUE_FULL',
    'INTERNAL',
  ]
  const codes = new Set([...operation.errors, ...general.filter(code => code !== false)])
  const byStatus = Map.groupBy(codes, code => errorCatalogue[code].status)
  return Object.fromEntries([...byStatus].sort(([left], [right]) => left - right).map(([status, list]) => [status, failure(list)]))
}

function failure(codes: readonly ErrorCode[]): Json {
  const shapes = new Set(codes.map(code => errorCatalogue[code].shape))
  return {
    description: codes.map(code => `${code}: ${errorCatalogue[code].meaning}`).join('\n\n'),
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      'X-Error-Code': { schema: { type: 'string', enum: codes } },
      ...(codes.includes('QUEUE_FULL') ? { 'Retry-After': { schema: { type: 'integer' } } } : {}),
    },
    content: {
      ...(shapes.has('json') ? { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } } : {}),
      ...(shapes.has('text') ? { 'text/plain': { schema: { type: 'string' } } } : {}),
    },
  }
}

/** The answer with a plan, beside that without: a status has one entry, for both. */
function withDryRun(others: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  const plan = jsonSchema(planData, 'output', true)
  const text = { 'text/plain': { schema: { type: 'string' } } }
  const told = 'With dry-run: the plan. Nothing was changed.'
  const { description, content } = (others['200'] ?? {}) as {
    readonly description?: string
    readonly content?: Readonly<Record<string, Json>>
  }
  const own = (content?.['application/json'] as { readonly schema?: Json } | undefined)?.schema
  if (own === undefined) return { ...others, 200: success(told, { 'application/json': { schema: plan }, ...text }) }
  const both = { 'application/json': { schema: { oneOf: [own, plan] } }, ...text }
  return { ...others, 200: success(`${description} ${told}`, both) }
}
