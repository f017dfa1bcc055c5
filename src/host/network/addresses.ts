/** IP addresses as numbers: what a URL fetched for somebody else may not reach, and how `/proc/net/tcp*` spells them. Pure. */
import { isIPv4, isIPv6 } from 'node:net'

/** Ranges that belong to the host itself or its local segment, as they are after an IPv4-mapped address has been unwrapped. */
const guardedRanges: readonly (readonly [prefix: string, bits: number])[] = [
  ['0.0.0.0', 8], // "this host on this network", RFC 1122 §3.2.1.3; Linux takes 0.0.0.0 for loopback
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, where clouds serve credentials
  ['100.100.100.200', 32], // where Alibaba Cloud does
  ['168.63.129.16', 32], // where Azure does (its wire server)
  ['192.0.0.192', 32], // where Oracle Cloud did
  ['224.0.0.0', 4], // multicast
  ['255.255.255.255', 32],
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10], // link-local
  ['fd00:ec2::', 32], // where Amazon serves credentials
  ['ff00::', 8], // multicast
]

/** Ways to write an IPv4 address within an IPv6 one that a gateway or the kernel takes apart again. */
const ipv4Carriers: readonly (readonly [prefix: string, bits: number])[] = [
  ['::ffff:0:0', 96], // IPv4-mapped, RFC 4291
  ['::ffff:0:0:0', 96], // IPv4-translated, RFC 7915
  ['64:ff9b::', 96], // NAT64, RFC 6052
  ['::', 96], // IPv4-compatible, deprecated
]

/** Whether the address is the host's own or of its local segment. What is no address is guarded as well. */
export function isGuardedAddress(text: string, ownAddresses: readonly string[]): boolean {
  const address = addressBytes(text)
  if (address === undefined) return true
  const isWithin = ([prefix, bits]: readonly [string, number]): boolean => {
    const range = addressBytes(prefix)
    return range !== undefined && hasPrefix(address, range, bits)
  }
  if (guardedRanges.some(isWithin)) return true
  return ownAddresses.some(own => isWithin(rangeOf(own)))
}

/** `172.17.0.0/16`, or one address. */
function rangeOf(text: string): readonly [string, number] {
  const [prefix = '', bits = '128'] = text.split('/')
  return [prefix, Number(bits)]
}

/** 4 or 16 bytes; an IPv4 address within an IPv6 one is given as IPv4. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array | undefined {
  const [bare = ''] = text.split('%')
  if (isIPv4(bare)) return Uint8Array.from(bare.split('.'), Number)
  if (!isIPv6(bare)) return undefined
  const bytes = ipv6Bytes(bare)
  const isUnspecifiedOrLoopback = bytes.subarray(0, 15).every(byte => byte === 0) && (bytes[15] ?? 0) <= 1
  if (!isUnspecifiedOrLoopback && ipv4Carriers.some(([prefix, bits]) => hasPrefix(bytes, ipv6Bytes(prefix), bits)))
    return bytes.subarray(12)
  return bytes
}

/** As the kernel prints an address in `/proc/net/tcp` or `tcp6`: 32-bit words, each in the byte order of the machine. */
export function procAddress(bytes: Uint8Array): string {
  let text = ''
  for (let word = 0; word < bytes.length; word += 4) {
    text += Buffer.from(bytes.subarray(word, word + 4))
      .reverse()
      .toString('hex')
  }
  return text.toUpperCase()
}

/** The sixteen bytes of IPv6 for an address of either kind; IPv4 becomes IPv4-mapped. */
export function asIpv6(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16 ? bytes : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes)
}

function ipv6Bytes(text: string): Uint8Array {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const groups = dotted === null ? text : text.slice(0, dotted.index) + dottedGroups(dotted.slice(1).map(Number))
  const [head = '', tail] = groups.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = Array.from({ length: 8 - front.length - back.length }, () => '0')
  return Uint8Array.from(
    [...front, ...middle, ...back].flatMap(group => {
      const value = Number.parseInt(group, 16)
      return [value >> 8, value & 0xff]
    }),
  )
}

function dottedGroups([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function hasPrefix(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  if (address.length !== prefix.length) return false
  const count = Math.min(bits, address.length * 8)
  const whole = count >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== prefix[i]) return false
  const rest = count & 7
  return rest === 0 || (address[whole] ?? 0) >> (8 - rest) === (prefix[whole] ?? 0) >> (8 - rest)
}
