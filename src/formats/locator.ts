/**
 * Locators: how the command line names a resource, `[type://][host[:port]/]id`. No host, or the word `local`, means this machine without
 * any network; `localhost` is a host like any other. What ids look like is not decided here, since routes use locators too.
 */
import { FormatError, quoted } from './format-error.ts'
import { isHostName } from './host-name.ts'
import { readPort } from './ports.ts'
import { requireLine } from './text-rules.ts'

export interface LocalHost {
  readonly kind: 'local'
}

export interface RemoteHost {
  readonly kind: 'remote'
  /** A host name or an address; IPv6 without its brackets. */
  readonly name: string
  readonly port: number | undefined
}

export type LocatorHost = LocalHost | RemoteHost

export interface Locator {
  readonly type: string
  readonly host: LocatorHost
  readonly id: string
}

export interface HostGroup {
  readonly host: LocatorHost
  readonly locators: readonly Locator[]
}

/** Where an agent listens when nothing else is said. */
export const defaultAgentPort = 43273

const locatorBytesMax = 1024
const localHost: LocalHost = { kind: 'local' }

/** Reads a locator. Without a type it gets the command's own. */
export function parseLocator(text: string, defaultType = 'ctr'): Locator {
  requireLine(text, { rule: 'locator', subject: 'a locator', bytesMax: locatorBytesMax })
  if (text === '') throw new FormatError('locator', 'a name must be given: [type://][host[:port]/]id')
  const { before: type, after: place } = splitOnce(text, '://') ?? { before: defaultType, after: text }
  if (type.trim() === '' || type.includes('/')) throw refused('locator.type', 'the type before "://" must be a word', text)
  const { before: host, after: id } = splitOnce(place, '/') ?? { before: undefined, after: place }
  if (host !== undefined && host.trim() === '') throw refused('locator.host', 'the host before "/" must not be blank', text)
  if (id.trim() === '') throw refused('locator.id', 'the id must not be blank', text)
  if (id.includes('/')) throw refused('locator.id', 'the id must not hold "/"', text)
  return { type, host: host === undefined ? localHost : parseHost(host), id }
}

/** Reads `host[:port]`. Port and address are told apart as Go's `net.SplitHostPort` does it, so an IPv6 address needs brackets and a port. */
export function parseHost(text: string): LocatorHost {
  requireLine(text, { rule: 'locator.host', subject: 'a host', bytesMax: locatorBytesMax })
  if (text === '' || text === 'local') return localHost
  const { name, portText } = text.includes(':') ? splitHostPort(text) : { name: text, portText: '' }
  if (!isHostName(name) && !isIpv6Address(name)) throw refused('locator.host', 'the host must be a host name or an address', text)
  const port = readPort(portText)
  if (portText !== '' && (port === undefined || port === 0))
    throw refused('locator.port', 'the port must be a number from 1 to 65535', text)
  // An IPv6 address can only be written with a port, and so can a host that is really called local: they always have one.
  return { kind: 'remote', name, port: port ?? (name.includes(':') || name === 'local' ? defaultAgentPort : undefined) }
}

/** The identity of a locator: what names it again. */
export function printLocator({ type, host, id }: Locator): string {
  return host.kind === 'local' ? `${type}://${id}` : `${type}://${printHost(host)}/${id}`
}

/** `host[:port]`, or `local`. */
export function printHost(host: LocatorHost): string {
  if (host.kind === 'local') return 'local'
  if (host.name.includes(':')) return `[${host.name}]:${host.port ?? defaultAgentPort}`
  return host.port === undefined ? host.name : `${host.name}:${host.port}`
}

/** The name under which others may reach what runs there: the host without its port. */
export function hostNameOf(host: LocatorHost): string {
  return host.kind === 'local' ? 'localhost' : host.name
}

/** The address of the agent on a host. */
export function agentUrl(host: RemoteHost): string {
  const name = host.name.includes(':') ? `[${host.name}]` : host.name
  return `http://${name}:${host.port ?? defaultAgentPort}`
}

/** Locators by host, hosts in the order in which they first appear. */
export function groupByHost(locators: readonly Locator[]): readonly HostGroup[] {
  const groups = Map.groupBy(locators, locator => printHost(locator.host))
  return [...groups.values()].flatMap(group => group.slice(0, 1).map(({ host }) => ({ host, locators: group })))
}

function splitHostPort(text: string): { readonly name: string; readonly portText: string } {
  const colon = text.lastIndexOf(':')
  if (!text.startsWith('[')) {
    if (text.indexOf(':') !== colon) throw refused('locator.host', 'an IPv6 address must be in brackets, as in [::1]:43273', text)
    return { name: text.slice(0, colon), portText: text.slice(colon + 1) }
  }
  const bracket = text.indexOf(']')
  if (bracket < 0) throw refused('locator.host', 'the bracket is not closed', text)
  if (bracket + 1 !== colon) throw refused('locator.host', 'an address in brackets must be followed by its port, as in [::1]:43273', text)
  const name = text.slice(1, bracket)
  return { name, portText: text.slice(colon + 1) }
}

function isIpv6Address(text: string): boolean {
  return text.length <= 45 && /^[0-9A-Fa-f:.]+$/.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`)
}

function splitOnce(text: string, separator: string): { readonly before: string; readonly after: string } | undefined {
  const at = text.indexOf(separator)
  return at < 0 ? undefined : { before: text.slice(0, at), after: text.slice(at + separator.length) }
}

function refused(rule: string, message: string, text: string): FormatError {
  return new FormatError(rule, `${message}: ${quoted(text)}`, { input: text })
}
