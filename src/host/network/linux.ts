/**
 * The network of a Linux host. Who listens and who is connected is read from `/proc/net/tcp` and `tcp6` (proc(5)), which is exact, cheap and
 * leaves nothing behind, where trying to bind a port is a race with everybody else.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { GearError } from '../../api/index.ts'
import { builtinHttp, builtinHttps } from '../../lib/index.ts'
import type { Files } from '../files/port.ts'
import { addressBytes, asIpv6, isGuardedAddress, procAddress } from './addresses.ts'
import type { Connection, Network } from './port.ts'

interface FetchOptions {
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly mayReachHost: boolean
  readonly isGuarded: Guard
}

const redirectsMax = 5

/** A host with many thousands of connections has that much. */
const tableBytesMax = 67_108_864

/** TCP states as `/proc/net/tcp` prints them (include/net/tcp_states.h). */
const established = '01'
const listening = '0A'

type Guard = (address: string, ownAddresses: readonly string[]) => boolean

export function linuxNetwork(files: Files, isGuarded: Guard = isGuardedAddress): Network {
  return {
    isPortFree: port => isPortFree(files, port),
    ownerOfConnection: connection => ownerOfConnection(files, connection),
    fetchText: (url, options) => fetchText(url, { ...options, isGuarded }),
  }
}

async function isPortFree(files: Files, port: number): Promise<boolean> {
  const local = `:${procPort(port)}`
  const tables = await Promise.all([rowsOf(files, 'tcp'), rowsOf(files, 'tcp6')])
  return !tables.flat().some(row => row.state === listening && row.local.endsWith(local))
}

async function ownerOfConnection(files: Files, connection: Connection): Promise<number | undefined> {
  const local = addressBytes(connection.localAddress)
  const remote = addressBytes(connection.remoteAddress)
  if (local === undefined || remote === undefined) return undefined
  // The other end has our remote side as its local one. A program may reach IPv4 through an IPv6 socket; then its row is in tcp6.
  const spelled = (bytes: Uint8Array, port: number): string => `${procAddress(bytes)}:${procPort(port)}`
  for (const [table, form] of [
    ['tcp', (bytes: Uint8Array) => bytes],
    ['tcp6', asIpv6],
  ] as const) {
    if (table === 'tcp' && (local.length !== 4 || remote.length !== 4)) continue
    const from = spelled(form(remote), connection.remotePort)
    const to = spelled(form(local), connection.localPort)
    const found = (await rowsOf(files, table)).find(row => row.local === from && row.remote === to && row.state === established)
    if (found !== undefined) return found.uid
  }
  return undefined
}

interface TcpRow {
  readonly local: string
  readonly remote: string
  readonly state: string
  readonly uid: number
}

/** `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …`; a kernel without IPv6 has no tcp6. */
async function rowsOf(files: Files, table: 'tcp' | 'tcp6'): Promise<readonly TcpRow[]> {
  const text = (await files.read(`/proc/net/${table}`, tableBytesMax)) ?? ''
  return text
    .split('\n')
    .slice(1)
    .filter(line => line !== '')
    .map(line => {
      const [, local = '', remote = '', state = '', , , , uid] = line.trim().split(/\s+/)
      return { local, remote, state, uid: Number(uid) }
    })
}

function procPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

async function fetchText(url: string, options: FetchOptions): Promise<string> {
  const signal = AbortSignal.timeout(options.timeoutMs)
  try {
    let next = new URL(url)
    for (let redirects = 0; redirects <= redirectsMax; redirects++) {
      const reply = await get(next, options, signal)
      if ('text' in reply) return reply.text
      next = new URL(reply.location, next)
    }
    throw new Error(`it redirects more than ${redirectsMax} times`)
  } catch (error) {
    const cause = signal.aborted ? new Error(`it took longer than ${options.timeoutMs} ms`) : error
    throw new GearError('ENVIRONMENT_FETCH_FAILED', `Could not read ${withoutSecrets(url)}`, { cause })
  }
}

/** One request. The address that is connected to is the one that was checked, as the check is the lookup. */
async function get(
  url: URL,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly location: string }> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${url.protocol} is not http: or https:`)
  const response = await respond(url, { signal, agent: false, headers: { accept: 'text/plain, */*;q=0.5' }, ...guardOf(url, options) })
  const status = response.statusCode ?? 0
  const { location } = response.headers
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    response.destroy()
    return { location }
  }
  if (status < 200 || status > 299) {
    response.destroy()
    throw new Error(`it answered ${status}`)
  }
  return { text: await textOf(response, options.maxBytes) }
}

function respond(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? builtinHttps() : builtinHttp()
    const sent: ClientRequest = request(url, options, resolve)
    sent.on('error', reject)
    sent.end()
  })
}

/** Node does not look an address up that is written as one, so that is checked here. */
function guardOf(url: URL, { mayReachHost, isGuarded }: FetchOptions): Pick<RequestOptions, 'lookup'> {
  if (mayReachHost) return {}
  const own = Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({ address }) => address))
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const refusal = (address: string): Error => new Error(`${host} is ${address}, an address of this host or of its local network`)
  if (addressBytes(host) !== undefined && isGuarded(host, own)) throw refusal(host)
  const lookup: LookupFunction = (name, lookupOptions, callback) => {
    process.getBuiltinModule('node:dns').lookup(name, { ...lookupOptions, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '')
      const guarded = addresses.find(({ address }) => isGuarded(address, own))
      const [first] = addresses
      if (guarded !== undefined) return callback(refusal(guarded.address), '')
      if (first === undefined) return callback(new Error(`${name} has no address`), '')
      if (lookupOptions.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
  return { lookup }
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

/** A URL for messages: credentials and query may be secret. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
