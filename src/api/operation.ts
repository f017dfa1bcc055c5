/**
 * What an operation of the API is: one value that says everything about a call. Server, client, command line and reference are derived
 * from these values, so a path or a field is written once.
 */
import type { DryRun } from '../lib/index.ts'
import type { ErrorCode } from './errors.ts'
import type * as z from './schemas.ts'
import type { Session } from './sessions.ts'

export type Schema<Value> = z.ZodMiniType<Value, unknown>

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'

/**
 * How a call answers (spec §3.3).
 * `none`: 204. `data`: 200 with JSON, or a text table when asked for. `text`: a stream of text, 202 or 204 by what the caller accepts;
 * GET routes also give it to plain callers as 200; with `data` the same path gives JSON to callers that accept exactly that.
 * `events`: 200, one JSON object a line, as they happen. `session`: both sides talk, after an upgrade (sessions.ts). `bytes`: 200 with the content type of the result, or 202 text/plain to callers that
 * take a stream, as the original answers them; never joined or kept for repeats.
 */
export type Reply<Data> =
  | { readonly kind: 'none' }
  | { readonly kind: 'data'; readonly schema: Schema<Data>; readonly table?: TableOf<Data> }
  | { readonly kind: 'text'; readonly data?: Schema<Data> }
  | { readonly kind: 'events'; readonly schema: Schema<Data> }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'session' }

/** Rows of a text table: the column titles, then one row per item. */
export interface TableOf<Data> {
  readonly columns: readonly string[]
  readonly rows: (data: Data) => readonly (readonly string[])[]
}

/** One call of the API, with everything there is to know of it. */
export interface Operation<Params = unknown, Query = unknown, Body = unknown, Data = unknown, Kind extends string = string> {
  readonly id: string
  readonly method: Method
  /** `{name}` stands for a parameter, `{name*}` at the end for all the rest, slashes included and %XX decoded. */
  readonly path: string
  readonly summary: string
  /** More for the reference page, in sentences. */
  readonly description?: string
  readonly params: Schema<Params>
  readonly query: Schema<Query>
  /** Without it, a body is ignored. */
  readonly body?: Schema<Body>
  readonly reply: Reply<Data> & { readonly kind: Kind }
  readonly errors: readonly ErrorCode[]
  /** `read`: changes nothing. `idempotent`: may be repeated. `once`: each call does the work again; never retried by the client. */
  readonly effect: 'read' | 'idempotent' | 'once'
  /**
   * `?dry-run=1` answers the plan of the call (`planData`) and carries nothing out. The handler hands `call.dryRun` to what applies its steps, and what it
   * answers is not looked at. Without this, a call that asks for a dry run is refused.
   */
  readonly hasDryRun?: boolean
  /** The work goes on by itself and the call only follows it: like a read, it ends when nobody waits any more and when the agent stops. */
  readonly isFollowed?: boolean
  /** `job`: takes a turn in the queue. `stream`: may stay open long, so it is counted apart. `direct`: answered without a turn. */
  readonly lane: 'job' | 'stream' | 'direct'
}

/** Declares an operation; exists for its types. */
export function operation<Params, Query, Body, Data, const Kind extends string>(
  value: Operation<Params, Query, Body, Data, Kind>,
): Operation<Params, Query, Body, Data, Kind> {
  return value
}

/** Text to send: whole, or in pieces as they come. `sideData` goes out as `X-NAME` headers before the text (spec §1.6). */
export interface TextResult {
  readonly text: string | AsyncIterable<string>
  readonly sideData?: Readonly<Record<string, string>>
}

/** A file to send as it comes. Nothing is begun before the first piece is asked for. */
export interface BytesResult {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly mediaType: string
  readonly fileName: string
}

/** Who calls: `isRoot` is true for root and the group gear on this host, false for callers with a token. */
export interface Caller {
  readonly isRoot: boolean
}

/** What a handler is given. `wants` is `data` when the caller asked a `text` route for its JSON form. */
export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly wants: 'text' | 'data'
  /** The media types that Accept names, in small letters and without parameters. */
  readonly mediaTypes: readonly string[]
  readonly caller: Caller
  readonly requestId: import('./ids.ts').RequestId
  /** Aborts when nobody waits for the result any more. Only reads, logs and waits end on it; changes are carried through. */
  readonly signal: AbortSignal
  /** Set when nothing may be carried out: steps are to be added to it instead. */
  readonly dryRun?: DryRun | undefined
}

/** What a `none` handler answers is not looked at. */
type Result<Kind, Data> = Kind extends 'none'
  ? unknown
  : Kind extends 'data'
    ? Data
    : Kind extends 'text'
      ? TextResult | { readonly data: Data }
      : Kind extends 'events'
        ? AsyncIterable<Data>
        : Kind extends 'session'
          ? Session
          : Kind extends 'bytes'
            ? BytesResult
            : never

/** The function that carries an operation out. */
export type Handler<Op> =
  Op extends Operation<infer Params, infer Query, infer Body, infer Data, infer Kind>
    ? (call: Call<Params, Query, Body>) => Promise<Result<Kind, Data>>
    : never
