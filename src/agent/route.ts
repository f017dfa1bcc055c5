/**
 * One operation as the server carries it out: what its handler gives is brought into a form that can be kept, repeated and written for
 * callers who take different things (spec §3.3).
 */
import {
  asGearError,
  type BytesResult,
  type Call,
  errorCatalogue,
  explain,
  GearError,
  limits,
  type Operation,
  type TextResult,
  toWire,
} from '../api/index.ts'
import { printTable } from '../formats/index.ts'
import type { Accepts } from './accept.ts'
import { answer, type Headers, headerValue } from './answer.ts'
import { Output, type OutputReader } from './output.ts'
import type { Result } from './requests.ts'
import { type PathTemplate, parseTemplate } from './target.ts'

/** A result ready for the wire. JSON is written once, whoever takes it. */
export type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'data'; readonly json: string; readonly data: unknown }
  | { readonly kind: 'text'; readonly text: string; readonly headers: Headers }
  | { readonly kind: 'bytes'; readonly file: BytesResult; readonly end: () => void; readonly onLateFailure: Surroundings['onLateFailure'] }
  | { readonly kind: 'stream'; readonly form: 'text' | 'events'; readonly output: Output; readonly headers: Headers }

type AnyHandler = (call: Call<unknown, unknown, unknown>) => Promise<unknown>

export interface Route {
  readonly operation: Operation
  readonly handler: AnyHandler
  readonly template: PathTemplate
}

export function makeRoute(operation: Operation, handler: AnyHandler): Route {
  return { operation, handler, template: parseTemplate(operation.path) }
}

/** How far a source may run ahead of the caller who reads it. */
const aheadBytes = 16_384
/** How long a change waits for callers that do not read its text before it goes on without them. */
const readerPatienceMs = 10_000

export interface Surroundings {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Told of failures that happen after the answer has begun. */
  readonly onLateFailure: (error: GearError) => void
}

/** What a handler gave, as a result that can be joined. A stream begins to flow at once, and is done when `ended` resolves. */
export function toResult(operation: Operation, given: unknown, signal: AbortSignal, around: Surroundings): Result<Value> {
  const { reply } = operation
  if (reply.kind === 'none') return whole({ kind: 'none' }, 0)
  if (reply.kind === 'data') return dataResult(given, { isAsIs: isOpen(reply.schema), hasTable: reply.table !== undefined })
  if (reply.kind === 'events') {
    return streamResult({ operation, form: 'events', pieces: eventLines(given as AsyncIterable<unknown>), headers: {}, signal, around })
  }
  if (reply.kind === 'session') throw new TypeError(`${operation.id} is a session and has no other result`)
  if (reply.kind === 'bytes') return bytesResult(given as BytesResult, signal, around)
  const result = given as TextResult | { readonly data: unknown }
  if ('data' in result) return dataResult(result.data, { isAsIs: false, hasTable: false })
  const headers = Object.fromEntries(Object.entries(result.sideData ?? {}).map(([name, value]) => [`X-${name}`, headerValue(value)]))
  if (typeof result.text === 'string') return whole({ kind: 'text', text: result.text, headers }, Buffer.byteLength(result.text))
  return streamResult({ operation, form: 'text', pieces: result.text, headers, signal, around })
}

function whole(value: Value, sizeBytes: number): Result<Value> {
  return { value, sizeBytes, ended: Promise.resolve() }
}

/** A table is made of the data themselves, which take about four times the memory of their JSON. */
function dataResult(data: unknown, { isAsIs, hasTable }: { readonly isAsIs: boolean; readonly hasTable: boolean }): Result<Value> {
  const json = `${JSON.stringify(isAsIs ? data : toWire(data))}\n`
  return hasTable ? whole({ kind: 'data', json, data }, json.length * 5) : whole({ kind: 'data', json, data: undefined }, json.length)
}

/** Data of which the contract says nothing is JSON that is not ours: its names stay as they are. */
function isOpen(schema: { readonly _zod: { readonly def: { readonly type: string } } }): boolean {
  return schema._zod.def.type === 'unknown'
}

/** Goes to one caller only, at its pace; it is done when that one has it all or is gone. */
function bytesResult(file: BytesResult, signal: AbortSignal, { onLateFailure }: Surroundings): Result<Value> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return { value: { kind: 'bytes', file, end: resolve, onLateFailure }, sizeBytes: 0, ended: promise }
}

async function* eventLines(events: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(toWire(event))}\n`
}

interface Stream {
  readonly operation: Operation
  readonly form: 'text' | 'events'
  readonly pieces: AsyncIterable<string>
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly around: Surroundings
}

function streamResult({ operation, form, pieces, headers, signal, around }: Stream): Result<Value> {
  const output = new Output({
    keepBytes: limits.requestReplayBytes,
    aheadBytes,
    notice: form === 'events' ? missedEvent : missedLine,
    noticePlace: form === 'events' ? 'gap' : 'end',
  })
  const failure = (cause: unknown): string => {
    const error = asGearError(cause)
    if (cause !== signal.reason) around.onLateFailure(error)
    return form === 'events' ? failedEvent(error) : `Error: ${explain(error)}\n`
  }
  const patience = (stop: AbortSignal): Promise<void> => around.sleep(readerPatienceMs, stop)
  const ended = output.fill({ pieces, signal, failure, ...(operation.effect === 'read' ? {} : { patience }) })
  return { value: { kind: 'stream', form, output, headers }, sizeBytes: 0, output, ended }
}

function missedLine(missedBytes: number): string {
  return `[${missedBytes} bytes of this output were not kept]\n`
}

function missedEvent(missedBytes: number): string {
  return `${JSON.stringify({ Event: 'log', Message: `[${missedBytes} bytes of earlier events were not kept]` })}\n`
}

function failedEvent(error: GearError): string {
  return `${JSON.stringify({ Event: 'failed', Message: explain(error), Code: error.code, Next: errorCatalogue[error.code].next })}\n`
}

/** Whether the caller asked a report for its data form. */
export function wantedForm({ reply }: Operation, accepts: Accepts): 'text' | 'data' {
  return reply.kind === 'text' && reply.data !== undefined && accepts.isData ? 'data' : 'text'
}

/** Throws NOT_ACCEPTABLE before any work is done when the result could not be written for the caller. */
export function requireAcceptable({ reply, id }: Operation, accepts: Accepts): void {
  if (!accepts.isTable || reply.kind === 'none' || reply.kind === 'text') return
  if (reply.kind === 'data' && reply.table !== undefined) return
  throw new GearError('NOT_ACCEPTABLE', `The result of ${id} has no text form`)
}

export interface Answering {
  readonly operation: Operation
  readonly accepts: Accepts
  readonly isHead: boolean
  /** Headers that every answer has. */
  readonly headers: Headers
  /** To be called when the text has been sent, or cannot be. */
  readonly leave: () => void
  /** Ends the connection, so that what was sent can not be taken for all. */
  readonly breakOff: () => void
}

/** The answer of spec §3.3 for one caller. */
export async function writeAnswer(value: Value, { operation, accepts, isHead, headers, leave, breakOff }: Answering): Promise<Response> {
  if (value.kind === 'none') return answer(204, headers, null)
  if (value.kind === 'data') {
    const table = accepts.isTable && operation.reply.kind === 'data' ? operation.reply.table : undefined
    const text = table === undefined ? value.json : printTable(table.columns, table.rows(value.data))
    return answer(200, { ...headers, 'Content-Type': table === undefined ? json : plain }, isHead ? null : text)
  }
  if (value.kind === 'bytes') return bytesAnswer(value, accepts, { isHead, headers, leave, breakOff })
  const type = value.kind === 'stream' && value.form === 'events' ? json : plain
  const all: Headers = { ...headers, ...value.headers, 'Content-Type': type }
  const status = textStatus(operation, accepts)
  if (status !== 204) return answer(status, all, isHead ? null : textBody(value, leave))
  if (value.kind === 'stream' && operation.effect !== 'read') await runThrough(value.output)
  return answer(204, all, null)
}

const json = 'application/json'
const plain = 'text/plain'

/** The original calls every stream text/plain, so its clients are told so too; others are told what it is. */
function bytesAnswer(
  { file, end, onLateFailure }: Value & { readonly kind: 'bytes' },
  { isStreaming }: Accepts,
  { isHead, headers, leave, breakOff }: Pick<Answering, 'isHead' | 'headers' | 'leave' | 'breakOff'>,
): Response {
  const done = (): void => {
    end()
    leave()
  }
  const all: Headers = isStreaming
    ? { ...headers, 'Content-Type': plain }
    : { ...headers, 'Content-Type': file.mediaType, 'Content-Disposition': `attachment; filename="${file.fileName}"` }
  if (isHead) done()
  return answer(isStreaming ? 202 : 200, all, isHead ? null : bytesBody(file.bytes, { onLateFailure, breakOff, done }))
}

interface FileEnd {
  readonly onLateFailure: Surroundings['onLateFailure']
  readonly breakOff: () => void
  readonly done: () => void
}

/** A source that fails breaks the connection, since the bytes so far look like a whole file. */
function bytesBody(bytes: AsyncIterable<Uint8Array>, { onLateFailure, breakOff, done }: FileEnd) {
  const source = bytes[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await source.next()
          if (next.done !== true) return controller.enqueue(next.value)
          controller.close()
        } catch (error) {
          onLateFailure(asGearError(error))
          breakOff()
        }
        done()
      },
      async cancel() {
        done()
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Text goes to those who take a stream, and from GET routes also to those who take text otherwise. */
function textStatus({ reply, method }: Operation, accepts: Accepts): 200 | 202 | 204 {
  if (reply.kind === 'events') return 200
  if (accepts.isStreaming) return 202
  return method === 'GET' && accepts.isText ? 200 : 204
}

function textBody(value: Value & { readonly kind: 'text' | 'stream' }, leave: () => void): string | ReadableStream<Uint8Array> {
  return value.kind === 'text' ? value.text : streamBody(value.output.read(), leave)
}

/** Reads only when the connection takes more, so that the source feels a slow caller. */
function streamBody(reader: OutputReader, leave: () => void): ReadableStream<Uint8Array> {
  let isCancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await reader.next()
        if (isCancelled) return
        if (bytes !== undefined) return controller.enqueue(bytes)
        leave()
        controller.close()
      },
      cancel() {
        isCancelled = true
        reader.close()
        leave()
      },
    },
    { highWaterMark: 0 },
  )
}

/** A caller that takes no text still learns, by status, how the work ended. */
async function runThrough(output: Output): Promise<void> {
  const reader = output.read()
  while ((await reader.next()) !== undefined);
  if (output.failure !== undefined) throw asGearError(output.failure)
}
