/**
 * What a caller may say to git: names of refs and addresses of repositories. Both end up as arguments of git, so everything that git, ssh or a
 * shell would take for something else than a name or an address is refused here: options, `ext::` and other remote helpers, passwords.
 */
import { FormatError, quoted } from './format-error.ts'
import { namesRemoteHelper, parseRemoteAddress, type RemoteProtocol, schemeOf } from './git-address.ts'
import { requireLine, requireText } from './text-rules.ts'

/** Where a repository is cloned from. `text` is what git is given, after `--`. */
export type CloneSource =
  | { readonly kind: 'remote'; readonly protocol: RemoteProtocol; readonly host: string; readonly port: number; readonly text: string }
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

/** What leads from a commit to one before it (gitrevisions(7)): `~`, `~3`, `^2`, also one behind the other. */
const ancestry = /(?:[~^]\d{0,4}){1,8}$/

/** A ref, or a commit before it: `main~1`, `HEAD^2~3`. No other expression. */
export function parseGitRevision(text: string): string {
  parseGitRef(text.replace(ancestry, ''))
  return text
}

/**
 * Reads `https://`, `http://`, `ssh://`, `git://` and `file://` URLs, `[user@]host:path` as ssh has it, and absolute paths. Whether a file may
 * be read is not decided here. Nothing secret may be in it: it becomes an argument, which everybody on the host can read.
 */
export function parseCloneSource(text: string): CloneSource {
  // The address is not shown where it may hold a password.
  requireText(text, { rule: 'clone-url', subject: 'a clone URL', bytesMax: sourceBytesMax })
  if (/[^!-~]/.test(text)) throw refused('must have only visible ASCII characters; others are written as %XX')
  if (text.startsWith('/')) return fileSource(text)
  const scheme = schemeOf(text)
  if (scheme === 'file') {
    if (!/^file:\/\/\//i.test(text)) throw refused('of a file must be file:///path')
    return fileSource(text.slice('file://'.length))
  }
  if (scheme === undefined && namesRemoteHelper(text)) throw refused('must not name a remote helper (name::address)')
  const address = parseRemoteAddress(text, refused)
  if (address === undefined) throw refused('must be a URL, user@host:path, or an absolute path')
  if (address.hasSecrets) throw refused('must not hold a password, a user or a query: everybody who lists processes or units would read it')
  if (address.path === '' || address.path === '/' || address.path.includes('#')) throw refused('must be scheme://host/path')
  const { protocol, host, port } = address
  return { kind: 'remote', protocol, host, port, text: address.text }
}

function fileSource(path: string): CloneSource {
  if (!isPlainPath(path)) throw refused('of a file must be an absolute path of plain characters, without . and ..')
  return { kind: 'file', path, text: `file://${path}` }
}

/** Of characters that mean nothing to a shell, which git hands the path of a repository on this host to. */
function isPlainPath(path: string): boolean {
  const parts = path.split('/').slice(1)
  return /^\/[\w./+@=,-]+$/.test(path) && parts.every(part => part !== '' && part !== '.' && part !== '..')
}

function refused(rule: string): FormatError {
  return new FormatError('clone-url', `a clone URL ${rule}`)
}
