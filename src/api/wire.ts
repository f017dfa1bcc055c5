/**
 * Between the wire and the inside. On the wire, JSON keeps the original's capitals (`NetworkLinks`) and keys match in any case
 * (spec §3.2); inside, names are camel case. The schema says which names there are, so nothing is listed twice.
 */
import { type FieldError, GearError } from './errors.ts'
import type { Schema } from './operation.ts'
import type * as z from './schemas.ts'

/** A value from the wire, checked and in inside names. Unknown keys are dropped, `null` counts as absent. Throws INPUT_INVALID with every broken rule. */
export function fromWire<Value>(schema: Schema<Value>, value: unknown): Value {
  return check(schema, fold(schema, value), wireName)
}

/** Path and query parameters: names as they are. */
export function fromText<Value>(schema: Schema<Value>, value: Readonly<Record<string, string>>): Value {
  return check(schema, value, name => name)
}

/** An inside value with the wire's names. Undefined fields are left out. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value
  const out: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) if (inner !== undefined) out[wireName(name)] = toWire(inner)
  return out
}

/** `networkLinks` is `NetworkLinks` on the wire. */
export function wireName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function check<Value>(schema: Schema<Value>, value: unknown, nameOf: (name: string) => string): Value {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const fields = result.error.issues.slice(0, 20).map(issue => ({ field: pathText(issue.path, nameOf), rule: issue.message }))
  throw inputInvalid(fields)
}

/** INPUT_INVALID that names each field and its rule in the message. */
export function inputInvalid(fields: readonly FieldError[]): GearError {
  return new GearError('INPUT_INVALID', fields.map(({ field, rule }) => (field === '' ? rule : `${field} ${rule}`)).join('; '), { fields })
}

function pathText(path: readonly PropertyKey[], nameOf: (name: string) => string): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += (text === '' ? '' : '.') + nameOf(String(part))
  }
  return text
}

/** The parts of a schema's definition that folding looks at. */
interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodMiniType>>
  readonly element?: z.ZodMiniType
  readonly innerType?: z.ZodMiniType
  readonly in?: z.ZodMiniType
}

/** The names of an object's fields, inside names. */
export function fieldNames(schema: Schema<unknown>): readonly string[] {
  const { shape, innerType, in: before } = schema._zod.def as Definition
  if (shape !== undefined) return Object.keys(shape)
  const inner = innerType ?? before
  return inner === undefined ? [] : fieldNames(inner)
}

/** Whether what is at a place of a value from the wire is a text: `Variables`, 0, `Value` is one. Names match in any case. */
export function isTextAt(schema: z.ZodMiniType | Schema<unknown>, place: readonly (string | number)[]): boolean {
  const { type, innerType, in: before, element, shape } = schema._zod.def as Definition
  const inner = innerType ?? before
  if (inner !== undefined) return isTextAt(inner, place)
  const [first, ...rest] = place
  if (first === undefined) return type === 'string'
  if (typeof first === 'number') return element !== undefined && isTextAt(element, rest)
  const found = Object.entries(shape ?? {}).find(([name]) => name.toLowerCase() === first.toLowerCase())
  return found !== undefined && isTextAt(found[1], rest)
}

/** A key that a schema does not know. */
export interface UnknownKey {
  /** `Containers[0].Imgae` */
  readonly path: string
  /** The last part of it. */
  readonly key: string
  /** Those that there are in its place. */
  readonly known: readonly string[]
}

/** Where a value from the wire has keys that its schema does not know, and that are dropped: perhaps misspelt. */
export function unknownKeys(schema: z.ZodMiniType | Schema<unknown>, value: unknown, path = ''): readonly UnknownKey[] {
  const { innerType, in: before, element, shape } = schema._zod.def as Definition
  const inner = innerType ?? before
  if (inner !== undefined) return unknownKeys(inner, value, path)
  if (element !== undefined && Array.isArray(value)) return value.flatMap((item, index) => unknownKeys(element, item, `${path}[${index}]`))
  if (shape === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const names = new Map(Object.keys(shape).map(name => [name.toLowerCase(), name]))
  return Object.entries(value).flatMap(([key, item]) => {
    const name = names.get(key.toLowerCase())
    const known = name === undefined ? undefined : shape[name]
    const place = `${path}${path === '' ? '' : '.'}${name === undefined ? key : wireName(name)}`
    if (known === undefined) return [{ path: place, key, known: Object.keys(shape).map(wireName) }]
    return unknownKeys(known, item, place)
  })
}

function fold(schema: z.ZodMiniType | Schema<unknown>, value: unknown): unknown {
  const definition = schema._zod.def as Definition
  if (definition.innerType !== undefined) return fold(definition.innerType, value)
  if (definition.in !== undefined) return fold(definition.in, value)
  if (definition.element !== undefined && Array.isArray(value)) {
    const element = definition.element
    return value.map(item => fold(element, item))
  }
  if (definition.shape !== undefined && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return foldObject(definition.shape, value as Record<string, unknown>)
  }
  return value
}

function foldObject(shape: Readonly<Record<string, z.ZodMiniType>>, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const byFolded = new Map<string, unknown>()
  for (const [key, inner] of Object.entries(value)) byFolded.set(key.toLowerCase(), inner)
  const out: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(shape)) {
    const exact = wireName(name)
    const inner = Object.hasOwn(value, exact) ? value[exact] : byFolded.get(name.toLowerCase())
    if (inner !== undefined && inner !== null) out[name] = fold(schema, inner)
  }
  return out
}
