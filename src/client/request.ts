/**
 * A call before it is sent: the operation, what the caller gave, checked with the contract's own rules, and its form on the wire. A mistake
 * is found here, before anything reaches a host, and in the same words that an agent would use.
 */
import {
  type Contract,
  contract,
  dryRunOf,
  dryRunParameter,
  fromText,
  fromWire,
  type Operation,
  type OperationName,
  toWire,
} from '../api/index.ts'

/**
 * What a caller gives for a value of the contract: the same names, but as before parsing: every field may be left out that the contract has a
 * default for, and a number or a parsed text (a size such as `512m`) may be given as text.
 */
export type Given<Value> = Value extends string | number
  ? string | number
  : Value extends boolean | undefined
    ? Value
    : Value extends readonly (infer Item)[]
      ? readonly Given<Item>[]
      : Value extends object
        ? { readonly [Name in keyof Value]?: Given<Value[Name]> | undefined }
        : Value

type ParamsOf<Name extends OperationName> =
  Contract[Name] extends Operation<infer Params, infer _Query, infer _Body, infer _Data> ? Params : never
type QueryOf<Name extends OperationName> =
  Contract[Name] extends Operation<infer _Params, infer Query, infer _Body, infer _Data> ? Query : never
type BodyOf<Name extends OperationName> =
  Contract[Name] extends Operation<infer _Params, infer _Query, infer Body, infer _Data> ? Body : never

/** The parts of a call; `params` must be given where the path has any. */
export type Input<Name extends OperationName> = {
  readonly query?: Given<QueryOf<Name>>
  readonly body?: Given<BodyOf<Name>>
} & (string extends keyof ParamsOf<Name>
  ? { readonly params?: undefined }
  : { readonly params: { readonly [Part in keyof ParamsOf<Name>]: string } })

/** In which form the answer is wanted, where an operation has two; or that it is to be planned only. */
export type Wants = 'text' | 'data' | 'plan'

export interface Request<Name extends OperationName = OperationName, Form extends Wants = Wants> {
  readonly name: Name
  readonly operation: Operation
  readonly wants: Form
  /** Path and query, as on the request line. */
  readonly target: string
  /** The JSON text of the body. */
  readonly payload: string | undefined
  /** What a handler in this process gets instead. */
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** Checks a call. Throws INPUT_INVALID that names every field and its rule. */
export function request<Name extends OperationName, const Form extends Wants = 'text'>(
  name: Name,
  input: Input<Name>,
  wants: Form = 'text' as Form,
): Request<Name, Form> {
  const operation: Operation = contract[name] as Operation
  const params = texts(input.params ?? {})
  const query = texts(input.query ?? {})
  const wireBody = operation.body === undefined ? undefined : toWire(input.body ?? {})
  return {
    name,
    operation,
    wants,
    target: targetOf(operation.path, params, query),
    payload: wireBody === undefined || isEmpty(wireBody) ? undefined : JSON.stringify(wireBody),
    params: fromText(operation.params, params),
    query: fromText(operation.query, query),
    body: operation.body === undefined ? undefined : fromWire(operation.body, wireBody),
  }
}

/** The dry run of a call: its answer is the plan. */
export function planOf<Name extends OperationName>(call: Request<Name>): Request<Name, 'plan'> {
  const target = `${call.target}${call.target.includes('?') ? '&' : '?'}${dryRunParameter}=1`
  return { ...call, operation: dryRunOf(call.operation), wants: 'plan', target }
}

/** Values as they stand in a path or query; what is false or absent is left out. */
function texts(values: object): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue
    out[name] = value === true ? '1' : String(value)
  }
  return out
}

function targetOf(path: string, params: Readonly<Record<string, string>>, query: Readonly<Record<string, string>>): string {
  const filled = path.replaceAll(/\{(\w+)(\*?)\}/g, (_, name: string, star: string) => {
    const text = encodeURIComponent(params[name] ?? '')
    return star === '' ? text : text.replaceAll('%2F', '/')
  })
  const search = new URLSearchParams(query).toString()
  return search === '' ? filled : `${filled}?${search}`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
