/**
 * Where the source of a build and its scripts are, from the words of whoever asks for it: a git repository by its address, or a folder or file of the host (spec
 * §12.2). Only what is known to be one of these is taken: git itself would execute some addresses (`ext::…`), and take others for options.
 */
import { urlWithoutSecrets } from '../lib/index.ts'
import { FormatError } from './format-error.ts'
import { isHostName } from './host-name.ts'

export type BuildSource =
  | { readonly kind: 'git'; readonly address: string; readonly ref: string | undefined; readonly isFile: boolean }
  /** A path as it was given: a folder, or one file. */
  | { readonly kind: 'local'; readonly path: string }

const addressCharactersMax = 2048
const remoteSchemes = ['https', 'http', 'ssh', 'git']

/**
 * An address is a URL, `user@host:path`, or a path that ends in `.git`; everything else is a path. A URL may name the ref after `#`.
 * With a ref, a path is a repository too, since only that has refs.
 */
export function parseBuildSource(text: string, ref?: string): BuildSource {
  if (text === '') throw refusal('must not be empty')
  if (text.length > addressCharactersMax) throw refusal(`must not be longer than ${addressCharactersMax} characters`)
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) throw refusal('must be one line of text')
  if (text.startsWith('-')) throw refusal('must not begin with "-"')
  if (ref !== undefined) checkGitRef(ref)
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return parseUrl(text, ref)
  if (/^[^/]*::/.test(text)) throw refusal('names a transport that is a command')
  if (/^[^/:@]+@[^/:]+:/.test(text)) return parseShortSsh(text, ref)
  const path = text.replace(/(.)\/+$/, '$1')
  if (path.endsWith('.git') || ref !== undefined) return { kind: 'git', address: path, ref, isFile: true }
  return { kind: 'local', path }
}

function parseUrl(text: string, ref: string | undefined): BuildSource {
  if (!/^[!-~]+$/.test(text) || !URL.canParse(text)) throw refusal('is no URL')
  const [address = '', fragment] = text.split('#')
  const url = new URL(address)
  const scheme = url.protocol.slice(0, -1)
  const named = ref ?? (fragment === undefined || fragment === '' ? undefined : fragment)
  if (named !== undefined) checkGitRef(named)
  if (scheme === 'file') {
    if (url.host !== '' && url.host !== 'localhost') throw refusal('names a file of another host')
    return { kind: 'git', address, ref: named, isFile: true }
  }
  if (!remoteSchemes.includes(scheme)) throw refusal(`must be an address by ${remoteSchemes.join(', ')} or file, or a path`)
  if (/^[^:]*:\/\/\//.test(address)) throw refusal('has no host')
  // ssh would take a host that begins with - for an option
  if (!/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)$/.test(url.hostname)) throw refusal('has no host')
  if (decodeURIComponent(url.username).startsWith('-')) throw refusal('has a user that begins with "-"')
  return { kind: 'git', address, ref: named, isFile: false }
}

/** `user@host:path`, as ssh and people write it. */
function parseShortSsh(text: string, ref: string | undefined): BuildSource {
  const [, user = '', host = '', path = ''] = /^([^@]+)@([^:]+):(.*)$/.exec(text) ?? []
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(user) || !isHostName(host) || path === '' || path.startsWith('-')) {
    throw refusal('must be user@host:path')
  }
  return { kind: 'git', address: text, ref, isFile: false }
}

/** What git takes for the name of a branch, a tag or a commit (git-check-ref-format(1)), and nothing that it computes. */
export function checkGitRef(ref: string): void {
  const isName = /^[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,254}$/.test(ref) && !/\.\.|@\{|\/\/|\.lock(?:\/|$)|[/.]$|\/\./.test(ref)
  if (!isName) throw new FormatError('source.ref', 'a ref must be the name of a branch or tag, or a commit')
}

function refusal(why: string): FormatError {
  return new FormatError('source', `the source ${why}`)
}

/** For people and logs: without passwords. */
export function printBuildSource(source: BuildSource): string {
  return source.kind === 'local' ? source.path : urlWithoutSecrets(source.address)
}

/** A folder of scripts, by its URL. */
export type ScriptsUrl =
  | { readonly kind: 'web'; readonly url: string }
  | { readonly kind: 'file'; readonly folder: string }
  /** In the builder image itself. */
  | { readonly kind: 'image'; readonly folder: string }

export function parseScriptsUrl(text: string): ScriptsUrl {
  if (text.length <= addressCharactersMax && /^https?:\/\/[!-~]+$/.test(text) && URL.canParse(text)) {
    return { kind: 'web', url: text.replace(/\/+$/, '') }
  }
  const [, scheme, path = ''] = /^(image|file):\/\/(\/[!-~]{0,1000})$/.exec(text) ?? []
  if (scheme === undefined || path.split('/').includes('..')) {
    throw new FormatError('scripts-url', 'scripts must be at an http, https, file or image URL of a folder')
  }
  const folder = path.replace(/\/+$/, '')
  return scheme === 'image' ? { kind: 'image', folder } : { kind: 'file', folder }
}
