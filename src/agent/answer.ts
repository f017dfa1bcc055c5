/** Answers as they go on the wire: status, headers and body, in the shapes of spec §3.3 and §3.4 with gear's own additions. */
import { errorCatalogue, explain, type GearError, type RequestId } from '../api/index.ts'

export type Body = string | ReadableStream<Uint8Array> | null

/** Header names keep this spelling on the wire. */
export type Headers = Record<string, string>

export function answer(status: number, headers: Headers, body: Body): Response {
  return new Response(body, { status, headers })
}

/**
 * A failure. Shape (a) JSON for work that failed, (b) text for what was refused before, (c) indented JSON for paths and methods
 * that do not exist. The original's client shows `Message`; `Code`, `Next`, `RequestId` and `Fields` are for ours.
 */
export function errorAnswer(error: GearError, requestId: RequestId, more: Headers = {}): Response {
  const { status, shape } = errorCatalogue[error.code]
  const message = explain(error)
  const headers: Headers = { 'X-Request-Id': requestId, 'X-Error-Code': error.code, ...more }
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
  if (error.code === 'ROUTE_UNKNOWN' || error.code === 'METHOD_NOT_ALLOWED') {
    headers['Content-Type'] = 'application/json'
    return answer(status, headers, JSON.stringify({ Error: message }, undefined, 2))
  }
  if (shape === 'text') {
    headers['Content-Type'] = 'text/plain; charset=utf-8'
    return answer(status, headers, `${message}\n`)
  }
  headers['Content-Type'] = 'application/json'
  return answer(status, headers, `${JSON.stringify(errorBody(error, message, requestId))}\n`)
}

function errorBody(error: GearError, message: string, requestId: RequestId): Record<string, unknown> {
  return {
    Message: message,
    ...(error.data === undefined ? {} : { Data: error.data }),
    Code: error.code,
    Next: errorCatalogue[error.code].next,
    RequestId: requestId,
    ...(error.fields.length === 0 ? {} : { Fields: error.fields.map(({ field, rule }) => ({ Field: field, Rule: rule })) }),
  }
}

/** A side-data value as a header may carry it: visible ASCII, spaces kept. */
export function headerValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
