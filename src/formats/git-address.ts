/**
 * Addresses of repositories elsewhere, as git, curl and ssh read them. What git would execute (`ext::…`) or one of them would take for an option is
 * none. Both clones of repositories and sources of builds are read with this.
 */
import { isHostName } from './host-name.ts'

const remoteProtocols = ['https', 'http', 'ssh', 'git'] as const
export type RemoteProtocol = (typeof remoteProtocols)[number]

const usualPorts: Readonly<Record<RemoteProtocol, number>> = { https: 443, http: 80, ssh: 22, git: 9418 }

/** An address that git fetches from elsewhere, read as git, curl and ssh read it. */
export interface RemoteAddress {
  readonly protocol: RemoteProtocol
  readonly host: string
  readonly port: number
  readonly path: string
  /** Whether a user, a password or a query of an http address is in it, which may be secret. */
  readonly hasSecrets: boolean
  /** What git is given. */
  readonly text: string
}

/** The scheme in front of `://`, in small letters; undefined for what is no URL. */
export function schemeOf(text: string): string | undefined {
  return /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase()
}

/** Whether git would run the program `git-remote-NAME` for it, as with `ext::sh -c …`. */
export function namesRemoteHelper(text: string): boolean {
  return /^[^/]*::/.test(text)
}

/** Reads what git fetches from elsewhere, in either form; undefined for what has neither. */
export function parseRemoteAddress(text: string, refused: (rule: string) => Error): RemoteAddress | undefined {
  return schemeOf(text) === undefined ? parseShortAddress(text, refused) : parseRemoteUrl(text, refused)
}

/** Reads a URL that git fetches. `refused` makes the error from the rule that is broken; it never shows the address, which may be secret. */
export function parseRemoteUrl(text: string, refused: (rule: string) => Error): RemoteAddress {
  const scheme = schemeOf(text) ?? ''
  const protocol = remoteProtocols.find(known => known === scheme)
  if (protocol === undefined) throw refused('must begin with https, http, ssh, git or file')
  if (!/^[!-~]+$/.test(text)) throw refused('must have only visible ASCII characters; others are written as %XX')
  const [, user, host = '', port, path = ''] =
    /^[A-Za-z]+:\/\/(?:([^/?#]*)@)?([^/:@?#]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(\/.*)?$/.exec(text) ?? []
  // ssh would take what begins with - for an option
  if (!isHostName(host) && !host.startsWith('[')) throw refused('must name a host')
  if (protocol === 'ssh' && user !== undefined && !isUser(user)) throw refused('must name a user in plain characters, without a password')
  if (protocol === 'git' && user !== undefined) throw refused('must not name a user: git:// knows none')
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw refused('must have a port from 1 to 65535')
  const hasSecrets = (protocol !== 'ssh' && user !== undefined) || path.includes('?')
  return { protocol, host, port: Number(port ?? usualPorts[protocol]), path, hasSecrets, text: `${scheme}${text.slice(scheme.length)}` }
}

/** Reads `[user@]host:path`, as ssh and people write it; undefined for what has not this form. */
export function parseShortAddress(text: string, refused: (rule: string) => Error): RemoteAddress | undefined {
  const [, user, host = '', path = ''] = /^(?:([^@:/]*)@)?([^@:/]+):(.*)$/s.exec(text) ?? []
  if (host === '') return undefined
  if (user !== undefined && !isUser(user)) throw refused('must name a user in plain characters')
  if (!isHostName(host)) throw refused('must name a host')
  if (path === '' || path.startsWith('-')) throw refused('must have a path that does not begin like an option')
  return { protocol: 'ssh', host, port: usualPorts.ssh, path, hasSecrets: false, text }
}

function isUser(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text)
}
