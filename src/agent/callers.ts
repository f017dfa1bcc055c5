/**
 * Who may call (SECURITY.md). The API is as powerful as root, so a listener lets in root and the group gear by the user id at the other end,
 * or whoever has the token, or, where an administrator said so, everybody; and never a web page, whose browser runs as somebody who may.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP, isIPv4 } from 'node:net'
import { asGearError, type Caller, GearError } from '../api/index.ts'
import type { Clock, Connection, Files, Network } from '../host/index.ts'

/**
 * How a listener knows its callers. `socket`: the permissions of the socket file let nobody else in. `peer`: by the user id at the other
 * end of a loopback connection. `token`: by a bearer token. `open`: not at all, because of `--insecure-http`.
 */
export type Admission = 'socket' | 'peer' | 'token' | 'open'

export const trusted: Caller = { isRoot: true }
export const remote: Caller = { isRoot: false }

export const groupName = 'gear'

export function isLoopback(host: string): boolean {
  const address = plainAddress(host)
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** Lower case, without the brackets of IPv6, the dot at the end of a full name, and the prefix of IPv4 inside IPv6. */
export function plainAddress(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace(/%.*$/, '')
  return bare.startsWith('::ffff:') && isIPv4(bare.slice(7)) ? bare.slice(7) : bare
}

export interface HostCheck {
  readonly headers: IncomingHttpHeaders
  /** The host in the request line, which proxies put there. */
  readonly authority: string | undefined
  /** The address that the connection came to. */
  readonly localAddress: string | undefined
  /** Further names and addresses of this host. */
  readonly ownNames: ReadonlySet<string>
}

/** Requests that a browser makes for a page say so in headers that a page cannot take away. */
export function pageRefusal(headers: IncomingHttpHeaders): GearError | undefined {
  const site = headers['sec-fetch-site']
  if (headers.origin !== undefined) return new GearError('BROWSER_REFUSED', 'Requests with an Origin header are refused')
  if (site !== undefined && site !== 'none') return new GearError('BROWSER_REFUSED', 'Requests that a web page makes are refused')
  return undefined
}

/** A page whose name was made to resolve to this host (DNS rebinding) is of the same origin, but still names itself in Host. */
export function hostRefusal({ headers, authority, localAddress, ownNames }: HostCheck): GearError | undefined {
  for (const host of [headers.host, authority]) {
    if (host === undefined || host === '') continue
    const name = plainAddress(host.replace(/:\d*$/, ''))
    if (isLoopback(name) || ownNames.has(name) || (localAddress !== undefined && plainAddress(localAddress) === name)) continue
    return new GearError(
      'BROWSER_REFUSED',
      `The request is for ${isIP(name) === 0 ? 'a name' : 'an address'} that this host does not go by`,
    )
  }
  return undefined
}

/**
 * The names a host goes by: its name, the first part of that, and what stands beside it in /etc/hosts (hosts(5)), where many have their full
 * name. A page cannot have any of them as its own.
 */
export function namesOfHost(hostName: string, hostsFile: string): readonly string[] {
  const name = plainAddress(hostName)
  const entries = hostsFile.split('\n').map(line => line.replace(/#.*/, '').trim().split(/\s+/).slice(1).map(plainAddress))
  return [name, name.split('.')[0] ?? name, ...entries.filter(names => names.includes(name)).flat()]
}

/** A bearer token, kept as its digest only. */
export class Token {
  readonly #digest: Buffer

  constructor(text: string) {
    this.#digest = digestOf(text)
  }

  refusal(headers: IncomingHttpHeaders): GearError | undefined {
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) return undefined
    return new GearError(
      'TOKEN_REQUIRED',
      given === undefined ? 'The request has no bearer token' : 'The bearer token is not the right one',
    )
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** How long what /etc/group and /etc/passwd say is believed. */
const membersMs = 5_000

/** The members of the group gear, from the files of the host. Accounts of network directories are not looked up. */
export class Members {
  readonly #host: { readonly files: Pick<Files, 'read'>; readonly clock: Pick<Clock, 'elapsedMs'> }
  #known: { readonly uids: ReadonlySet<number>; readonly untilMs: number } | undefined

  constructor(host: { readonly files: Pick<Files, 'read'>; readonly clock: Pick<Clock, 'elapsedMs'> }) {
    this.#host = host
  }

  async includes(uid: number): Promise<boolean> {
    if (uid === 0) return true
    const nowMs = this.#host.clock.elapsedMs()
    if (this.#known === undefined || this.#known.untilMs <= nowMs) this.#known = { uids: await this.#read(), untilMs: nowMs + membersMs }
    return this.#known.uids.has(uid)
  }

  async #read(): Promise<ReadonlySet<number>> {
    const { files } = this.#host
    return memberIds((await files.read('/etc/group')) ?? '', (await files.read('/etc/passwd')) ?? '')
  }
}

/** The user ids that have the group as a further or as their own group. */
export function memberIds(group: string, passwd: string): ReadonlySet<number> {
  const entry = groupEntry(group)
  const uids = new Set<number>()
  if (entry === undefined) return uids
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name === undefined || name === '' || uid === undefined || !/^\d+$/.test(uid)) continue
    if (entry.members.includes(name) || gid === String(entry.gid)) uids.add(Number(uid))
  }
  return uids
}

/** The line of the group gear: `gear:x:990:alice,bob`. */
export function groupEntry(group: string): { readonly gid: number; readonly members: readonly string[] } | undefined {
  for (const line of group.split('\n')) {
    const [name, , gid, members] = line.split(':')
    if (name === groupName && gid !== undefined && /^\d+$/.test(gid)) {
      return { gid: Number(gid), members: (members ?? '').split(',').filter(member => member !== '') }
    }
  }
  return undefined
}

/** Who is at the other end of a loopback connection: a caller, or why not. */
export async function peerOf(
  connection: Connection,
  network: Pick<Network, 'ownerOfConnection'>,
  members: Members,
): Promise<Caller | GearError> {
  try {
    const uid = await network.ownerOfConnection(connection)
    if (uid === undefined) return new GearError('CALLER_REFUSED', 'It cannot be told which user is calling')
    if (await members.includes(uid)) return trusted
    return new GearError('CALLER_REFUSED', `The user with id ${uid} is neither root nor in the group ${groupName}`)
  } catch (error) {
    return asGearError(error)
  }
}
