/**
 * An SSH agent with two security keys made of software, for lab hosts, which have no hardware: `node security-key-agent.ts FOLDER`. It writes
 * `ed25519.pub` and `ecdsa.pub` into the folder and listens at two sockets there: for those who ask at `touched`, somebody is present, at
 * `untouched` nobody is. The protocol is that of agents (draft-miller-ssh-agent), keys and signatures are OpenSSH's (PROTOCOL.u2f).
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

const application = 'ssh:'
const userPresent = 0x01

const failure = 5
const requestIdentities = 11
const identitiesAnswer = 12
const signRequest = 13
const signResponse = 14

interface SecurityKey {
  readonly kind: string
  readonly publicKey: Buffer
  /** What PROTOCOL.u2f has as the signature proper of this kind. */
  readonly signatureOf: (message: Buffer) => Buffer
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function string(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** A positive number (RFC 4251, mpint). */
function mpint(value: Buffer): Buffer {
  const firstOne = value.findIndex(byte => byte !== 0)
  const digits = value.subarray(firstOne)
  return string((digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.alloc(1), digits]))
}

const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest()
const coordinate = (key: KeyObject, name: 'x' | 'y'): Buffer => Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url')

function ed25519(): SecurityKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const kind = 'sk-ssh-ed25519@openssh.com'
  return {
    kind,
    publicKey: Buffer.concat([string(kind), string(coordinate(publicKey, 'x')), string(application)]),
    signatureOf: message => sign(null, message, privateKey),
  }
}

function ecdsa(): SecurityKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kind = 'sk-ecdsa-sha2-nistp256@openssh.com'
  const point = Buffer.concat([Buffer.from([4]), coordinate(publicKey, 'x'), coordinate(publicKey, 'y')])
  return {
    kind,
    publicKey: Buffer.concat([string(kind), string('nistp256'), string(point), string(application)]),
    signatureOf: message => {
      const both = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return Buffer.concat([mpint(both.subarray(0, 32)), mpint(both.subarray(32))])
    },
  }
}

let counter = 0

/** As a security key signs: not the message, but that somebody was asked about it. */
function signed({ kind, signatureOf }: SecurityKey, message: Buffer, flags: number): Buffer {
  counter++
  const state = Buffer.concat([Buffer.from([flags]), uint32(counter)])
  return Buffer.concat([string(kind), string(signatureOf(Buffer.concat([sha256(application), state, sha256(message)]))), state])
}

function answer(keys: readonly SecurityKey[], request: Buffer, flags: number): Buffer {
  if (request[0] === requestIdentities) {
    const identities = keys.map(({ kind, publicKey }) => Buffer.concat([string(publicKey), string(kind)]))
    return Buffer.concat([Buffer.from([identitiesAnswer]), uint32(keys.length), ...identities])
  }
  if (request[0] === signRequest) {
    const wanted = stringAt(request, 1)
    const key = keys.find(({ publicKey }) => publicKey.equals(wanted))
    if (key !== undefined) {
      return Buffer.concat([Buffer.from([signResponse]), string(signed(key, stringAt(request, 5 + wanted.length), flags))])
    }
  }
  return Buffer.from([failure])
}

function stringAt(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at))
}

async function serve(socket: Socket, keys: readonly SecurityKey[], flags: number): Promise<void> {
  let rest = Buffer.alloc(0)
  for await (const piece of socket as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, piece])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const request = stringAt(rest, 0)
      rest = rest.subarray(4 + request.length)
      socket.write(string(answer(keys, request, flags)))
    }
  }
}

const [folder = '.'] = process.argv.slice(2)
const keys = { ed25519: ed25519(), ecdsa: ecdsa() }
for (const [name, { kind, publicKey }] of Object.entries(keys)) {
  writeFileSync(`${folder}/${name}.pub`, `${kind} ${publicKey.toString('base64')} ${name}\n`)
}
for (const [name, flags] of [
  ['untouched', 0],
  ['touched', userPresent],
] as const) {
  createServer(socket => void serve(socket, Object.values(keys), flags).catch(() => undefined)).listen(`${folder}/${name}`)
}
