/** The client's end of a session: the request for the upgrade, then frames over the connection. */
import type { IncomingMessage } from 'node:http'
import {
  FrameReader,
  GearError,
  type Operation,
  outputOf,
  printFrame,
  printInput,
  type Session,
  type SessionInput,
  type SessionOutput,
} from '../api/index.ts'
import { RemoteError } from './remote-error.ts'

type Socket = IncomingMessage['socket']

/** A connection after its answer 101, with what came behind that. */
export interface Upgraded {
  readonly socket: Socket
  readonly head: Buffer
}

/** What a session begins with, sent behind the request for it: an answer is not waited for. */
export function firstFrame({ payload }: { readonly payload: string | undefined }): Buffer {
  return printFrame('begin', payload ?? '{}')
}

/** After the first frame. `place` names the agent in messages. */
export function sessionOn({ socket, head }: Upgraded, operation: Operation, place: string): Session {
  socket.on('error', () => undefined)
  const send = (bytes: Buffer): Promise<void> =>
    new Promise(resolve => {
      if (socket.destroyed || socket.writableEnded) resolve()
      else socket.write(bytes, () => resolve())
    })
  return {
    output: outputsOf(socket, head, operation, place),
    write: (input: SessionInput) => send(printInput(input)),
    close: () => void socket.destroy(),
  }
}

async function* outputsOf(socket: Socket, head: Buffer, operation: Operation, place: string): AsyncGenerator<SessionOutput> {
  const reader = new FrameReader()
  for await (const piece of withHead(socket, head)) {
    for (const frame of reader.push(piece)) {
      if (frame.kind === 'failed') throw failureOf(frame.payload, operation)
      const output = outputOf(frame)
      if (output !== undefined) yield output
      if (output?.kind === 'exit') return
    }
  }
  throw new GearError('HOST_UNREACHABLE', `The agent at ${place} ended the session`)
}

async function* withHead(socket: Socket, head: Buffer): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  try {
    // Who has read the last frame need not wait for the connection to be taken down; closing the client does that.
    yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch {
    // a connection that broke has ended, which the reader of frames tells
  }
}

function failureOf(payload: Uint8Array, operation: Operation): RemoteError {
  const { Message, Code, Next } = JSON.parse(Buffer.from(payload).toString()) as Readonly<Record<string, unknown>>
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const failure = {
    status: 500,
    message: text(Message) ?? 'the session failed',
    code: text(Code),
    next: text(Next),
    fields: [],
    data: undefined,
  }
  return new RemoteError(failure, operation)
}
