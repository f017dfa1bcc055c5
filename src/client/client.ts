/**
 * What the command line, and any other program, knows of an agent: one call, typed by the contract. Whether an answer comes over TCP, over the
 * Unix socket or from handlers in this very process is behind this interface.
 */
import type { Contract, Operation, OperationName, Plan, RequestId, Session } from '../api/index.ts'
import type { Request, Wants } from './request.ts'

export interface CallOptions {
  /** Ends the waiting; a change that reached the agent is carried through all the same. */
  readonly signal?: AbortSignal
  /** Fresh and random unless given. */
  readonly requestId?: RequestId
}

export interface Client {
  /** Throws a GearError, or the reason of the signal. */
  call<Name extends OperationName, Form extends Wants>(request: Request<Name, Form>, options?: CallOptions): Promise<Answer<Name, Form>>
  /** Opens a session of an operation that is one. Throws a GearError, or the reason of the signal, which also ends the session. */
  open(request: Request<SessionName, 'text'>, options?: CallOptions): Promise<Session>
  close(): Promise<void>
}

/** Operations in which both sides talk. */
export type SessionName = { [Name in OperationName]: KindOf<Name> extends 'session' ? Name : never }[OperationName]

/** Text comes in pieces, as the reader takes them. An original agent may say something even where ours says nothing. */
export interface TextAnswer {
  /** False when the agent sent no text at all, not even an empty one. */
  readonly hasText: boolean
  readonly text: AsyncIterable<string>
  /** By their names without `X-`, such as PortMapping. */
  readonly sideData: Readonly<Record<string, string>>
}

/** Names of side data there are (spec §1.6); other `X-` headers belong to the transport. */
export const sideDataNames = ['PortMapping'] as const

type DataOf<Name extends OperationName> =
  Contract[Name] extends Operation<infer _Params, infer _Query, infer _Body, infer Data> ? Data : never
type KindOf<Name extends OperationName> = Contract[Name]['reply']['kind']

export type Answer<Name extends OperationName, Form extends Wants = 'text'> = Form extends 'plan' ? Plan : OwnAnswer<Name, Form>

type OwnAnswer<Name extends OperationName, Form extends Wants> =
  KindOf<Name> extends 'data'
    ? DataOf<Name>
    : KindOf<Name> extends 'events'
      ? AsyncIterable<DataOf<Name>>
      : KindOf<Name> extends 'bytes'
        ? AsyncIterable<Uint8Array>
        : Form extends 'data'
          ? DataOf<Name>
          : TextAnswer

/** An answer of any operation, before its type is known again. */
export type AnyAnswer =
  | { readonly kind: 'text'; readonly answer: TextAnswer }
  | { readonly kind: 'data'; readonly data: unknown }
  | { readonly kind: 'events'; readonly events: AsyncIterable<unknown> }
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Uint8Array> }

/** The part of an answer that `call` gives. The contract says which kind an operation has, which the compiler cannot follow here. */
export function opened<Name extends OperationName, Form extends Wants>(answer: AnyAnswer): Answer<Name, Form> {
  return contentOf(answer) as Answer<Name, Form>
}

function contentOf(answer: AnyAnswer): unknown {
  switch (answer.kind) {
    case 'text':
      return answer.answer
    case 'data':
      return answer.data
    case 'events':
      return answer.events
    case 'bytes':
      return answer.bytes
  }
}
