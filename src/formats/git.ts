/**
 * What a caller may say to git: names of refs and addresses to clone from. Both end up as arguments of git, so everything that git, ssh or a
 * shell would take for something else than a name or an address is refused here: options, `ext::` and other remote helpers, passwords.
 */

import { FormatError, quoted } from './format-error.ts'
import { isHostName } from './host-name.ts'
import { requireLine } from './text-rules.ts'

/** Where a repository is cloned from. `text` is what git is given, after `--`. */
export type CloneSource =
  | { readonly kind: 'remote'; readonly protocol: 'https' | 'http' | 'ssh' | 'git'; readonly host: string; readonly text: string }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }

const refBytesMax = 255
const sourceBytesMax = 2048

/**
 * Checks the name of a branch, a tag or a commit by the rules of git-check-ref-format(1). `HEAD`, short names and whole ones (`refs/heads/main`) are
 * names; expressions such as `main~2`, `@{yesterday}` and `a..b` are none.
 */
export function parseGitRef(text: string): string {
  requireLine(text, { rule: 'git-ref', subject: 'a ref', bytesMax: refBytesMax })
  const isName =
    text !== '' &&
    !/[\s~^:?*[\\]|@\{|\.\.|\/\//.test(text) &&
    !/^[-/]|^@$|[/.]$/.test(text) &&
    text.split('/').every(part => !part.startsWith('.') && !part.endsWith('.lock'))
  if (!isName) throw new FormatError('git-ref', `a ref must be the name of a branch, a tag or a commit: ${quoted(text)}`, { input: text })
  return text
}

/**
 * Reads `https://`, `http://`, `ssh://`, `git://` and `file://` URLs, `[user@]host:path` as ssh has it, and absolute paths. Whether a file may
 * be read is not decided here.
 */
export function parseCloneSource(text: string): CloneSource {
  // The address is not shown where it may hold a password.
  requireLine(text, { rule: 'clone-url', subject: 'a clone URL', bytesMax: sourceBytesMax })
  if (/\s/.test(text) || /[^ -~]/.test(text)) throw refused('must have only visible ASCII characters; others are written as %XX')
  if (text.startsWith('/')) return fileSource(text)
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text) ?? []
  if (scheme !== undefined) return urlSource(text, scheme.toLowerCase())
  if (text.includes('::')) throw refused('must not name a remote helper (name::address)')
  return shellSource(text)
}

function urlSource(text: string, scheme: string): CloneSource {
  if (scheme === 'file') {
    if (!text.startsWith('file:///')) throw refused('of a file must be file:///path')
    return fileSource(text.slice('file://'.length))
  }
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh' && scheme !== 'git') {
    throw refused('must begin with https, http, ssh, git or file')
  }
  const [, user, host = '', port, path = ''] =
    /^[A-Za-z]+:\/\/(?:([^/@]*)@)?([^/:@]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(\/.*)$/.exec(text) ?? []
  if (path === '' || path === '/') throw refused('must be scheme://host/path')
  if (user?.includes(':')) throw refused('must not hold a password: everybody who lists processes or units would read it')
  if (user !== undefined && (scheme !== 'ssh' || !isUser(user))) throw refused('may name a user with ssh only, in plain characters')
  if (!isHostName(host) && !host.startsWith('[')) throw refused('must name a host')
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw refused('must have a port from 1 to 65535')
  if (/[?#]/.test(path)) throw refused('must not have a query or a fragment')
  return { kind: 'remote', protocol: scheme, host, text: `${scheme}${text.slice(scheme.length)}` }
}

/** `[user@]host:path`. */
function shellSource(text: string): CloneSource {
  const [, user, host = '', path = ''] = /^(?:([^@:/]*)@)?([^@:/]+):(.+)$/.exec(text) ?? []
  if (path === '') throw refused('must be a URL, user@host:path, or an absolute path')
  if (user !== undefined && !isUser(user)) throw refused('must name a user in plain characters')
  if (!isHostName(host)) throw refused('must name a host')
  if (path.startsWith('-')) throw refused('must not have a path that begins like an option')
  return { kind: 'remote', protocol: 'ssh', host, text }
}

function fileSource(path: string): CloneSource {
  const parts = path.split('/').slice(1)
  const isPlain = /^[\w./+@=,-]+$/.test(path) && parts.every(part => part !== '' && part !== '.' && part !== '..')
  if (!isPlain) throw refused('of a file must be an absolute path of plain characters, without . and ..')
  return { kind: 'file', path, text: `file://${path}` }
}

function isUser(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text)
}

function refused(rule: string): FormatError {
  return new FormatError('clone-url', `a clone URL ${rule}`)
}
