/** The client of this very process: calls go to the handlers themselves, without HTTP. */
import {
  type BytesResult,
  type Call,
  GearError,
  type Handlers,
  type Operation,
  type OperationName,
  planning,
  type RequestId,
  type Session,
  type TextResult,
} from '../api/index.ts'
import { type AnyAnswer, type CallOptions, type Client, opened } from './client.ts'
import type { Request, Wants } from './request.ts'

/** Handlers with the write lock of the host, until they are disposed of. */
export interface OpenedHandlers extends AsyncDisposable {
  readonly handlers: Handlers
}

export function localClient(host: OpenedHandlers, newRequestId: () => RequestId): Client {
  return {
    async call<Name extends OperationName, Form extends Wants>(request: Request<Name, Form>, options: CallOptions = {}) {
      options.signal?.throwIfAborted()
      const result = await handlerOf(
        host.handlers,
        request,
      )({
        params: request.params,
        query: request.query,
        body: request.body,
        wants: request.wants === 'data' ? 'data' : 'text',
        mediaTypes: [],
        caller: { isRoot: true },
        requestId: options.requestId ?? newRequestId(),
        signal: options.signal ?? new AbortController().signal,
      })
      return opened<Name, Form>(answerOf(result, request.operation))
    },
    async open(request, options = {}) {
      options.signal?.throwIfAborted()
      const handler = handlerOf(host.handlers, request)
      const { params, query, body } = request
      const call = { params, query, body, wants: 'text' as const, mediaTypes: [], caller: { isRoot: true } }
      const signal = options.signal ?? new AbortController().signal
      return (await handler({ ...call, requestId: newRequestId(), signal })) as Session
    },
    async close() {
      await host[Symbol.asyncDispose]()
    },
  }
}

/** The request was checked with the schemas of its operation, so its parts fit this handler; the compiler cannot follow that here. */
function handlerOf(handlers: Handlers, { name, wants }: Request): (call: AnyCall) => Promise<unknown> {
  const handler = handlers[name] as (call: AnyCall) => Promise<unknown>
  return wants === 'plan' ? planning(handler) : handler
}

type AnyCall = Call<unknown, unknown, unknown>

function answerOf(result: unknown, { reply }: Operation): AnyAnswer {
  switch (reply.kind) {
    case 'none':
      return { kind: 'text', answer: { hasText: false, text: pieces(''), sideData: {} } }
    case 'data':
      return { kind: 'data', data: result }
    case 'bytes':
      return { kind: 'bytes', bytes: (result as BytesResult).bytes }
    case 'session':
      throw new GearError('UPGRADE_REQUIRED', 'The call is a session')
    case 'events':
      return { kind: 'events', events: result as AsyncIterable<unknown> }
    case 'text': {
      const given = result as TextResult | { readonly data: unknown }
      if ('data' in given) return { kind: 'data', data: given.data }
      const text = typeof given.text === 'string' ? pieces(given.text) : given.text
      return { kind: 'text', answer: { hasText: true, text, sideData: given.sideData ?? {} } }
    }
  }
}

async function* pieces(text: string): AsyncGenerator<string> {
  if (text !== '') yield text
}

export interface FallbackOptions {
  readonly first: Client
  /** Whether an error means that there is nobody to call. */
  readonly isAbsent: (error: unknown) => boolean
  readonly open: () => Promise<Client>
}

/**
 * A client that turns to another when the first has nobody at its end: with no agent running, a local command does the work itself. It stays with the
 * other, unless that finds that somebody else is at work.
 */
export function withFallback({ first, isAbsent, open }: FallbackOptions): Client {
  let opening: Promise<Client> | undefined
  const through = async <Value>(use: (client: Client) => Promise<Value>): Promise<Value> => {
    if (opening === undefined) {
      try {
        return await use(first)
      } catch (error) {
        if (!isAbsent(error)) throw error
      }
    }
    opening ??= open()
    const used = opening
    try {
      return await use(await used)
    } catch (error) {
      if (!(error instanceof GearError) || error.code !== 'WRITER_BUSY') throw error
      // An agent may have come up meanwhile; it holds the lock, and does what it is asked.
      if (opening === used) opening = undefined
      await used.then(client => client.close(), ignore)
      return await use(first).catch((again: unknown) => {
        throw isAbsent(again) ? error : again
      })
    }
  }
  return {
    call: (request, options) => through(client => client.call(request, options)),
    open: (request, options) => through(client => client.open(request, options)),
    async close() {
      await first.close()
      await opening?.then(client => client.close(), ignore)
    },
  }
}

function ignore(): void {}
