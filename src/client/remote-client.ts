/** The client of an agent that is reached over HTTP: headers, repeats, and words for what can go wrong on the way. */
import { asGearError, dryRunExpectation, GearError, type OperationName, type RequestId } from '../api/index.ts'
import { type CallOptions, type Client, opened } from './client.ts'
import { readReply } from './reply.ts'
import type { Request, Wants } from './request.ts'
import { firstFrame, sessionOn, type Upgraded } from './session.ts'
import type { Credentials } from './token.ts'
import { ConnectionError, type Transport, type WireReply } from './transport.ts'

export interface RemoteClientOptions {
  readonly transport: Transport
  /** Where the agent is, for messages: `node7:43273`, `/run/gear/gear.sock`. */
  readonly place: string
  readonly credentials?: Credentials
  /** 16 random bytes in text. */
  readonly newRequestId: () => RequestId
  readonly pause: (waitMs: number, signal?: AbortSignal) => Promise<void>
}

/** Waits before the repeats of a call whose connection broke; an agent that restarts is back within them. */
const pausesMs = [100, 500, 2000]

export function remoteClient({ transport, place, credentials, newRequestId, pause }: RemoteClientOptions): Client {
  return {
    async call<Name extends OperationName, Form extends Wants>(request: Request<Name, Form>, options: CallOptions = {}) {
      const requestId = options.requestId ?? newRequestId()
      const headers = {
        Accept: acceptOf(request),
        'X-Api-Version': '1',
        'X-Request-Id': requestId,
        ...(request.wants === 'plan' ? { Expect: dryRunExpectation } : {}),
        ...authorization(),
      }
      const reply = await exchange(request, headers, options)
      return opened<Name, Form>(await readReply(reply, request, { place, credentials }))
    },
    async open(request, { signal } = {}) {
      const { operation, target } = request
      const wire = { method: operation.method, target, headers: authorization(), payload: undefined }
      let reply: WireReply | Upgraded
      try {
        reply = await transport.upgrade(wire, firstFrame(request), signal)
      } catch (error) {
        throw error instanceof ConnectionError ? unreachable(error, place) : error
      }
      if ('socket' in reply) return sessionOn(reply, operation, place)
      await readReply(reply, request, { place, credentials })
      throw new GearError('REPLY_UNEXPECTED', `The agent at ${place} opened no session`)
    },
    async close() {
      transport.close()
    },
  }

  function authorization(): Readonly<Record<string, string>> {
    return credentials?.token === undefined ? {} : { Authorization: `Bearer ${credentials.token}` }
  }

  /**
   * Sends a call, again if the connection broke before an answer and the operation may be repeated. Every time with the same request id, by
   * which the agent knows work it has begun already.
   */
  async function exchange(request: Request, headers: Readonly<Record<string, string>>, { signal }: CallOptions): Promise<WireReply> {
    const { operation, target, payload } = request
    const wire = { method: operation.method, target, headers, payload }
    for (let attempt = 0; ; attempt++) {
      try {
        return await transport.exchange(wire, signal)
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
        const waitMs = pausesMs[attempt]
        const mayRepeat = operation.effect !== 'once' && !error.isTimeout && (error.stage === 'answer' || attempt > 0)
        if (!mayRepeat || waitMs === undefined) throw unreachable(error, place)
        await pause(waitMs, signal)
      }
    }
  }
}

/** Text routes give their data to those who accept exactly JSON; files come as they are; everything else wants what the original's client sends. */
function acceptOf({ operation, wants }: Request): string {
  if (operation.reply.kind === 'bytes') return '*/*'
  return operation.reply.kind === 'text' && wants === 'data' ? 'application/json' : 'application/json;stream=true'
}

function unreachable(error: ConnectionError, place: string): GearError {
  if (error.code === 'EACCES')
    return new GearError('CALLER_REFUSED', `The agent at ${place} may not be called by this user`, { cause: error })
  const what = error.stage === 'connect' ? 'cannot be reached' : 'did not answer'
  return new GearError('HOST_UNREACHABLE', `The agent at ${place} ${what}`, { cause: error })
}

/** Whether nothing was sent because no agent is there at all: no socket, or nobody who listens on it. */
export function isAgentAbsent(error: unknown): boolean {
  const { cause } = asGearError(error)
  return cause instanceof ConnectionError && cause.stage === 'connect' && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED')
}
