/**
 * Public SSH keys as they stand in an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT; wire encodings: RFC 4253 §6.6, RFC 5656, RFC 8709,
 * OpenSSH's PROTOCOL.certkeys and PROTOCOL.u2f). Options and comments are read over and dropped: what a key may do is decided on the host,
 * not by who sends it. A key that sshd could not use is refused here, with the reason.
 */
import { FormatError, quoted } from './format-error.ts'
import { hasControlCharacter, isLongerThan, trimCharacters } from './text-rules.ts'

export interface SshKey {
  /** Such as `ssh-ed25519`. */
  readonly algorithm: string
  /** The wire encoding in base64, with its padding. */
  readonly base64: string
}

export interface AuthorizedKey {
  readonly key: SshKey
  /** The options that stood before the key; dropped. */
  readonly options: string | undefined
  readonly comment: string
}

/** As OpenSSH's SSH_MAX_PUBKEY_BYTES. */
export const sshKeyLineBytes = 16_384
const keyFileBytes = 1_048_576
const blanks = ' \t'

/** The line with the key, out of a text with one key; blank lines and comments count for nothing, as for sshd. `undefined` when other lines are left, or none. */
export function soleKeyLine(text: string): string | undefined {
  const [line, ...others] = text.split(/\r?\n/).filter(content => !isSkipped(content))
  return others.length === 0 ? line : undefined
}

/** Reads one line. Throws FormatError for a line without a key, too. A line break at its end counts for nothing. */
export function parseAuthorizedKey(text: string): AuthorizedKey {
  if (isLongerThan(text, sshKeyLineBytes)) throw new FormatError('ssh-key.length', `a key must not be longer than ${sshKeyLineBytes} bytes`)
  const line = trimCharacters(text.replace(/\r?\n$/, ''), blanks)
  if (!text.isWellFormed() || hasControlCharacter(line.replaceAll('\t', ' '))) {
    throw new FormatError('ssh-key.line', 'a key must be one line of text, without line breaks and control characters')
  }
  if (line === '' || line.startsWith('#')) throw new FormatError('ssh-key', 'there is no key, which looks like: ssh-ed25519 AAAA… name')
  const plain = readKey(line)
  if (plain !== undefined) return { ...plain, options: undefined }
  const { before, after } = splitOptions(line)
  const behind = readKey(after)
  if (behind === undefined) throw notAKey(line)
  return { ...behind, options: before }
}

export interface KeyLine extends AuthorizedKey {
  /** From 1. */
  readonly line: number
}

/** Reads a file of keys, such as authorized_keys or id_ed25519.pub. Blank lines and comments are skipped; the first line that is wrong is an error that names it. */
export function parseAuthorizedKeys(text: string): readonly KeyLine[] {
  if (isLongerThan(text, keyFileBytes))
    throw new FormatError('ssh-key.length', `a file of keys must not be longer than ${keyFileBytes} bytes`)
  return text.split('\n').flatMap((content, index) => {
    const line = content.replace(/\r$/, '')
    if (isSkipped(line)) return []
    try {
      return [{ ...parseAuthorizedKey(line), line: index + 1 }]
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      throw new FormatError(error.rule, error.message, { path: `line ${index + 1}` })
    }
  })
}

function isSkipped(line: string): boolean {
  return /^[ \t]*(#|$)/.test(line)
}

/** `ssh-ed25519 AAAA…`, with a line break: the form in which keys are stored and sent (spec §11.1). */
export function printSshKey({ algorithm, base64 }: SshKey): string {
  return `${algorithm} ${base64}\n`
}

/**
 * The name of a key on disk: SHA-256 over its wire encoding without the algorithm name, in base64url (spec §11.1). It is not the SHA256 fingerprint
 * that OpenSSH prints.
 */
export function sshKeyFingerprint({ base64 }: SshKey): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  const reader = new WireReader(Buffer.from(base64, 'base64'))
  reader.string()
  return createHash('sha256').update(reader.rest()).digest('base64url')
}

/** As `ssh-keygen -lf` prints it: `SHA256:…`, for people who compare keys. */
export function openSshFingerprint({ base64 }: SshKey): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return `SHA256:${createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64').replace(/=+$/, '')}`
}

const openSshPattern = /^SHA256:[A-Za-z0-9+/]{43}$/

export function isOpenSshFingerprint(text: string): boolean {
  return openSshPattern.test(text)
}

/** As ssh looks a host up among those it knows (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). An IPv6 address may be in brackets. */
export function knownHostName({ host, port }: { readonly host: string; readonly port: number }): string {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

const fingerprintPattern = /^[A-Za-z0-9_-]{43}$/

export function isSshKeyFingerprint(text: string): boolean {
  return fingerprintPattern.test(text)
}

/** `undefined` when the text does not begin with the name of an algorithm: then options may stand before it. */
function readKey(text: string): { readonly key: SshKey; readonly comment: string } | undefined {
  const [, algorithm = '', base64 = '', comment = ''] = /^(\S+)[ \t]+(\S+)[ \t]*(.*)$/.exec(text) ?? []
  const readBody = Object.hasOwn(bodies, algorithm) ? bodies[algorithm] : undefined
  if (readBody === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  // Node passes over characters that are not base64; sshd does not.
  if (bytes.length === 0 || bytes.toString('base64') !== base64) throw broken(algorithm, 'it is not whole base64')
  const reader = new WireReader(bytes)
  if (reader.string().toString('latin1') !== algorithm) throw broken(algorithm, 'it is of another kind inside')
  readBody(reader, algorithm)
  if (reader.rest().length > 0) throw broken(algorithm, 'there is more behind its end')
  return { key: { algorithm, base64 }, comment }
}

/** The first word and what follows it; blanks between double quotes belong to the word, and `\"` is no quote. */
function splitOptions(line: string): { readonly before: string; readonly after: string } {
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === '\\' && line.charAt(at + 1) === '"') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && blanks.includes(character)) return { before: line.slice(0, at), after: trimCharacters(line.slice(at), blanks) }
  }
  throw notAKey(line)
}

type ReadBody = (reader: WireReader, algorithm: string) => void

const curves: Readonly<Record<string, { readonly name: string; readonly pointBytes: number }>> = {
  nistp256: { name: 'nistp256', pointBytes: 65 },
  nistp384: { name: 'nistp384', pointBytes: 97 },
  nistp521: { name: 'nistp521', pointBytes: 133 },
}

const plainBodies: Readonly<Record<string, ReadBody>> = {
  'ssh-rsa': readRsa,
  'ssh-dss': (reader, algorithm) => {
    for (let number = 0; number < 4; number++) requireNumber(reader.string(), algorithm)
  },
  'ecdsa-sha2-nistp256': readEcdsa('nistp256'),
  'ecdsa-sha2-nistp384': readEcdsa('nistp384'),
  'ecdsa-sha2-nistp521': readEcdsa('nistp521'),
  'ssh-ed25519': readEd25519,
  'sk-ecdsa-sha2-nistp256@openssh.com': (reader, algorithm) => {
    readEcdsa('nistp256')(reader, algorithm)
    reader.string()
  },
  'sk-ssh-ed25519@openssh.com': (reader, algorithm) => {
    readEd25519(reader, algorithm)
    reader.string()
  },
}

/** Every algorithm sshd knows, and its version 01 certificate, which has the key between a nonce and what the authority says of it. */
const bodies: Readonly<Record<string, ReadBody>> = {
  ...plainBodies,
  ...Object.fromEntries(
    Object.entries(plainBodies).map(([algorithm, readBody]) => [
      `${algorithm.replace('@openssh.com', '')}-cert-v01@openssh.com`,
      (reader: WireReader, name: string) => {
        reader.string()
        readBody(reader, name)
        reader.skip(8 + 4)
        for (const _ of ['key id', 'principals']) reader.string()
        reader.skip(8 + 8)
        for (const _ of ['critical options', 'extensions', 'reserved', 'signature key', 'signature']) reader.string()
      },
    ]),
  ),
}

/** sshd refuses shorter ones; longer ones make every login slow. */
const rsaBits = { min: 1024, max: 16_384 }
const rsaExponentBitsMax = 24

function readRsa(reader: WireReader, algorithm: string): void {
  const exponent = requireNumber(reader.string(), algorithm)
  const modulus = requireNumber(reader.string(), algorithm)
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1
  if (!isOdd || bitsOf(exponent) > rsaExponentBitsMax || (exponent.length === 1 && (exponent[0] ?? 0) < 3)) {
    throw broken(algorithm, `its exponent must be odd, at least 3, and have at most ${rsaExponentBitsMax} bits`)
  }
  if (bitsOf(modulus) < rsaBits.min || bitsOf(modulus) > rsaBits.max) {
    throw broken(algorithm, `it must have ${rsaBits.min} to ${rsaBits.max} bits, not ${bitsOf(modulus)}`)
  }
}

function readEcdsa(curve: string): ReadBody {
  return (reader, algorithm) => {
    const { name, pointBytes } = curves[curve] ?? { name: curve, pointBytes: 0 }
    if (reader.string().toString('latin1') !== name) throw broken(algorithm, 'it is on another curve')
    const point = reader.string()
    // 4: both coordinates in full, the only form sshd takes (RFC 5656 §3.1).
    if (point.length !== pointBytes || point[0] !== 4) throw broken(algorithm, 'its point is not one of this curve')
  }
}

function readEd25519(reader: WireReader, algorithm: string): void {
  if (reader.string().length !== 32) throw broken(algorithm, 'it must have 32 bytes')
}

/** A positive number in its shortest form (RFC 4251 §5), without the byte that only keeps its sign. */
function requireNumber(bytes: Buffer, algorithm: string): Buffer {
  const [first = 0, second = 0] = bytes
  const isShortest = first !== 0 || (bytes.length > 1 && second >= 0x80)
  if (bytes.length === 0 || first >= 0x80 || !isShortest) throw broken(algorithm, 'it holds a number that is none')
  return first === 0 ? bytes.subarray(1) : bytes
}

function bitsOf(number: Buffer): number {
  return number.length * 8 - Math.clz32(number[0] ?? 0) + 24
}

/** Reads what RFC 4251 §5 calls strings: a length of four bytes, and so many bytes. */
class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  string(): Buffer {
    if (this.#at + 4 > this.#bytes.length) throw cutOff()
    const length = this.#bytes.readUInt32BE(this.#at)
    this.#at += 4
    return this.#take(length)
  }

  skip(count: number): void {
    this.#take(count)
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at)
  }

  #take(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw cutOff()
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }
}

function cutOff(): FormatError {
  return new FormatError('ssh-key.broken', 'the key is cut off')
}

function broken(algorithm: string, why: string): FormatError {
  return new FormatError('ssh-key.broken', `the ${algorithm} key is broken: ${why}`)
}

/** Shows the beginning only: somebody may have sent a private key. */
function notAKey(line: string): FormatError {
  const word = line.slice(0, 24)
  if (/^-----BEGIN|PRIVATE KEY/.test(line)) {
    return new FormatError('ssh-key.private', 'this is a private key; give the public one, which is in the file that ends in .pub')
  }
  return new FormatError('ssh-key', `there is no key of a kind that is known (rsa, ecdsa, ed25519, sk, dss): ${quoted(word)}…`)
}
