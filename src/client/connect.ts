/** The way to an agent: its address in, a client out. */
import type { RequestId } from '../api/index.ts'
import { newRequestId } from '../formats/index.ts'
import type { Client } from './client.ts'
import { remoteClient } from './remote-client.ts'
import { readCredentials } from './token.ts'
import { type Address, httpTransport, placeOf, randomBytes16 } from './transport.ts'

/** Where the agent of this machine listens. */
export const agentSocketPath = '/run/gear/gear.sock'

export interface ConnectOptions {
  /** A file with the bearer token of the agent, or with those of several. */
  readonly tokenFile?: string
}

/** Connects at the first call, not before. Throws when the token file cannot be used. */
export function connect(address: Address, { tokenFile }: ConnectOptions = {}): Client {
  return remoteClient({
    transport: httpTransport(address),
    place: placeOf(address),
    ...(tokenFile === undefined ? {} : { credentials: readCredentials(tokenFile, address) }),
    newRequestId: freshRequestId,
    pause,
  })
}

export function freshRequestId(): RequestId {
  return newRequestId(randomBytes16()) as RequestId
}

/** Waits; rejects with the reason of the signal. */
export function pause(waitMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = () => {
    clearTimeout(timer)
    reject(signal?.reason)
  }
  const timer = setTimeout(() => {
    signal?.removeEventListener('abort', stop)
    resolve()
  }, waitMs)
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  return promise
}
