/**
 * The network of a Linux host. Whether a port is free is found out by listening on it for a moment: that takes 0.02 ms, and is what whoever
 * wants the port will do, so that ports of outgoing connections are not free either. `/proc/net/tcp` would tell who listens without
 * touching the port, but reading it walks the kernel's whole table of connections, 5 ms of CPU time on a machine with 24 GB even when there
 * are none.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { createServer } from 'node:net'
import { GearError } from '../../api/index.ts'
import { builtinHttp, builtinHttps, urlWithoutSecrets } from '../../lib/index.ts'
import type { Files } from '../files/port.ts'
import { isGuardedAddress } from './addresses.ts'
import { connectionOwners } from './connection-owner.ts'
import { type Guard, guardedLookup, isOwnOrLocal } from './guard.ts'
import type { Network } from './port.ts'
import { type SocketDiagnosis, socketDiagnosis } from './socket-diagnosis.ts'

interface FetchOptions {
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly mayReachHost: boolean
  readonly isGuarded: Guard
}

const redirectsMax = 5

export function linuxNetwork(
  files: Pick<Files, 'read'>,
  { isGuarded = isGuardedAddress, diagnose = socketDiagnosis() }: { readonly isGuarded?: Guard; readonly diagnose?: SocketDiagnosis } = {},
): Network {
  const probes = new Map<number, Promise<boolean>>()
  return {
    isPortFree: port => isPortFree(probes, port),
    ownerOfConnection: connectionOwners(files, diagnose),
    isOwnOrLocal: host => isOwnOrLocal(host, isGuarded),
    fetchText: (url, options) => fetchText(url, { ...options, isGuarded }),
    postJson: (url, json, options) => postJson(url, json, { ...options, isGuarded }),
  }
}

/** One probe of a port at a time: two would be in each other's way. */
async function isPortFree(probes: Map<number, Promise<boolean>>, port: number): Promise<boolean> {
  const running = probes.get(port)
  if (running !== undefined) return running
  const probe = canListen(port, '::')
  probes.set(port, probe)
  try {
    return await probe
  } finally {
    probes.delete(port)
  }
}

function canListen(port: number, address: '::' | '0.0.0.0'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error => {
      const code = 'code' in error ? error.code : undefined
      if (code === 'EADDRINUSE') resolve(false)
      // a host without IPv6
      else if (address === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) resolve(canListen(port, '0.0.0.0'))
      else reject(error)
    })
    server.listen({ port, host: address, backlog: 1 }, () => server.close(() => resolve(true)))
  })
}

async function fetchText(url: string, options: FetchOptions): Promise<string> {
  const signal = AbortSignal.timeout(options.timeoutMs)
  try {
    let next = new URL(url)
    for (let redirects = 0; redirects <= redirectsMax; redirects++) {
      const reply = await get(next, options, signal)
      // A body without a stated length that is cut off by the time limit looks like one that ended.
      signal.throwIfAborted()
      if ('text' in reply) return reply.text
      next = new URL(reply.location, next)
    }
    throw new Error(`it redirects more than ${redirectsMax} times`)
  } catch (error) {
    const cause = signal.aborted ? new Error(`it took longer than ${options.timeoutMs} ms`) : error
    const data = error instanceof UnexpectedStatus ? { status: error.status } : undefined
    throw new GearError('ENVIRONMENT_FETCH_FAILED', `Could not read ${urlWithoutSecrets(url)}`, { cause, data })
  }
}

async function postJson(url: string, json: string, options: Omit<FetchOptions, 'maxBytes'>): Promise<number> {
  const signal = AbortSignal.timeout(options.timeoutMs)
  try {
    const target = httpUrl(url)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }
    const response = await respond(target, { method: 'POST', signal, agent: false, headers, ...guardOf(target, options) }, json)
    response.destroy()
    return response.statusCode ?? 0
  } catch (error) {
    const cause = signal.aborted ? new Error(`it took longer than ${options.timeoutMs} ms`) : error
    throw new GearError('CALLBACK_FAILED', `Could not call ${urlWithoutSecrets(url)}`, { cause })
  }
}

class UnexpectedStatus extends Error {
  readonly status: number

  constructor(status: number) {
    super(`it answered ${status}`)
    this.status = status
  }
}

function httpUrl(text: string | URL): URL {
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${url.protocol} is not http: or https:`)
  return url
}

/** One request. The address that is connected to is the one that was checked, as the check is the lookup. */
async function get(
  url: URL,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly location: string }> {
  httpUrl(url)
  const response = await respond(url, { signal, agent: false, headers: { accept: 'text/plain, */*;q=0.5' }, ...guardOf(url, options) })
  const status = response.statusCode ?? 0
  const { location } = response.headers
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    response.destroy()
    return { location }
  }
  if (status < 200 || status > 299) {
    response.destroy()
    throw new UnexpectedStatus(status)
  }
  return { text: await textOf(response, options.maxBytes) }
}

function respond(url: URL, options: RequestOptions, body = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? builtinHttps() : builtinHttp()
    const sent: ClientRequest = request(url, options, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Node does not look an address up that is written as one, so that is checked at once. */
function guardOf(url: URL, { mayReachHost, isGuarded }: Pick<FetchOptions, 'mayReachHost' | 'isGuarded'>): Pick<RequestOptions, 'lookup'> {
  return mayReachHost ? {} : { lookup: guardedLookup(url.hostname, isGuarded) }
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
