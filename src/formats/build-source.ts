/**
 * Where the source of a build and its scripts are, from the words of whoever asks for it: a git repository by its address, or a folder or file of the host (spec
 * §12.2). Only what is known to be one of these is taken: git itself would execute some addresses (`ext::…`), and take others for options.
 */
import { urlWithoutSecrets } from '../lib/index.ts'
import { FormatError } from './format-error.ts'
import { parseGitRef } from './git.ts'
import { namesRemoteHelper, parseRemoteUrl, parseShortAddress, schemeOf } from './git-address.ts'

export type BuildSource =
  | { readonly kind: 'git'; readonly address: string; readonly ref: string | undefined; readonly isFile: boolean }
  /** A path as it was given: a folder, or one file. */
  | { readonly kind: 'local'; readonly path: string }

const addressCharactersMax = 2048

/**
 * An address is a URL, `user@host:path`, or a path that ends in `.git`; everything else is a path. A URL may name the ref after `#`.
 * With a ref, a path is a repository too, since only that has refs.
 */
export function parseBuildSource(text: string, ref?: string): BuildSource {
  if (text === '') throw refusal('must not be empty')
  if (text.length > addressCharactersMax) throw refusal(`must not be longer than ${addressCharactersMax} characters`)
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) throw refusal('must be one line of text')
  if (text.startsWith('-')) throw refusal('must not begin with "-"')
  if (ref !== undefined) parseGitRef(ref)
  if (schemeOf(text) !== undefined) return parseUrl(text, ref)
  if (namesRemoteHelper(text)) throw refusal('names a transport that is a command')
  if (/^[^/:@]+@[^/:]+:/.test(text)) return { kind: 'git', address: parseShortAddress(text, refusal)?.text ?? text, ref, isFile: false }
  const path = text.replace(/(.)\/+$/, '$1')
  if (path.endsWith('.git') || ref !== undefined) return { kind: 'git', address: path, ref, isFile: true }
  return { kind: 'local', path }
}

function parseUrl(text: string, ref: string | undefined): BuildSource {
  if (!/^[!-~]+$/.test(text) || !URL.canParse(text)) throw refusal('is no URL')
  const [address = '', fragment] = text.split('#')
  const named = ref ?? (fragment === undefined || fragment === '' ? undefined : fragment)
  if (named !== undefined) parseGitRef(named)
  if (schemeOf(address) === 'file') {
    const { host } = new URL(address)
    if (host !== '' && host !== 'localhost') throw refusal('names a file of another host')
    return { kind: 'git', address, ref: named, isFile: true }
  }
  return { kind: 'git', address: parseRemoteUrl(address, refusal).text, ref: named, isFile: false }
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
