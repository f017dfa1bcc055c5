/**
 * Asks the kernel about one TCP connection: a `sock_diag` request over netlink (sock_diag(7), linux/inet_diag.h), which looks the connection up
 * in the kernel's hash table. It takes 35 µs; reading `/proc/net/tcp` walks the whole table, 5 ms and more on a machine with 24 GB. Node has no
 * netlink sockets, so the C library is called through `node:ffi` (docs/decisions/0007-socket-diagnosis.md).
 */
import { constants } from 'node:os'

/** Who owns the end of a connection: the user's id; `none` when nobody holds such a connection open; `unknown` when the kernel cannot be asked. */
export type SocketOwner = number | 'none' | 'unknown'

/** One end of a connection on this host: its own address first. Addresses are both of 4 or both of 16 bytes. */
export interface SocketEnd {
  readonly address: Uint8Array
  readonly port: number
  readonly peerAddress: Uint8Array
  readonly peerPort: number
}

export type SocketDiagnosis = (end: SocketEnd) => SocketOwner

/** The three calls of the C library. Sizes are size_t, results ssize_t. */
interface CLibrary {
  readonly socket: (family: number, type: number, protocol: number) => number
  readonly send: (descriptor: number, message: Buffer, sizeBytes: bigint, flags: number) => bigint
  readonly recv: (descriptor: number, message: Buffer, sizeBytes: bigint, flags: number) => bigint
}

// bits/socket.h, linux/netlink.h, linux/sock_diag.h, net/tcp_states.h
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 0o2000003
const NETLINK_SOCK_DIAG = 4
const MSG_DONTWAIT = 0x40
const NLMSG_ERROR = 2
const NLM_F_REQUEST = 1
const SOCK_DIAG_BY_FAMILY = 20
const IPPROTO_TCP = 6
const TCP_ESTABLISHED = 1
const TCP_FIN_WAIT1 = 4
const TCP_FIN_WAIT2 = 5
/** Open, or closed for sending by a program that waits for the answer, as `nc -N` and socat do. */
const heldStates: readonly number[] = [TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2]
const heldStatesMask = heldStates.reduce((mask, state) => mask | (1 << state), 0)
const noCookie = 0xffffffff

/** struct nlmsghdr (16 bytes) and struct inet_diag_req_v2 (56). */
const requestBytes = 72
/** Where struct inet_diag_msg has what is read of it, behind the header. */
const offsets = { state: 17, sourcePort: 20, destinationPort: 22, uid: 80, inode: 84, end: 88 } as const
const replyBytes = 4096

/** Loads nothing until it is first asked. It keeps one socket for the life of the process. */
export function socketDiagnosis(): SocketDiagnosis {
  let ask: SocketDiagnosis | undefined
  return end => {
    ask ??= connect()
    return ask(end)
  }
}

function connect(): SocketDiagnosis {
  const unknown: SocketDiagnosis = () => 'unknown'
  const library = cLibrary()
  if (library === undefined) return unknown
  const descriptor = library.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG)
  if (descriptor < 0) return unknown
  const request = Buffer.alloc(requestBytes)
  const reply = Buffer.alloc(replyBytes)
  let sequence = 0
  return end => {
    sequence = (sequence + 1) >>> 0
    writeRequest(request, end, sequence)
    if (library.send(descriptor, request, BigInt(requestBytes), 0) !== BigInt(requestBytes)) return 'unknown'
    // The kernel answers within send. An answer that was left over from an earlier question has another number.
    for (;;) {
      const sizeBytes = Number(library.recv(descriptor, reply, BigInt(replyBytes), MSG_DONTWAIT))
      if (sizeBytes <= 0) return 'unknown'
      if (reply.readUInt32LE(8) === sequence) return readReply(reply.subarray(0, sizeBytes), end)
    }
  }
}

/** Undefined on a Node without `node:ffi`, and where its calls are not what they are here: it is experimental. */
function cLibrary(): CLibrary | undefined {
  try {
    const ffi = process.getBuiltinModule('node:ffi')
    const { functions } = ffi.dlopen(null, {
      socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
      send: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
      recv: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
    })
    return functions as unknown as CLibrary
  } catch {
    return undefined
  }
}

/** Numbers of netlink are in the byte order of the machine, which is little-endian on all that Node is pinned for; ports and addresses are not. */
function writeRequest(request: Buffer, { address, port, peerAddress, peerPort }: SocketEnd, sequence: number): void {
  request.fill(0)
  request.writeUInt32LE(requestBytes, 0)
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  request.writeUInt16LE(NLM_F_REQUEST, 6)
  request.writeUInt32LE(sequence, 8)
  request.writeUInt8(address.length === 4 ? AF_INET : AF_INET6, 16)
  request.writeUInt8(IPPROTO_TCP, 17)
  request.writeUInt32LE(heldStatesMask, 20)
  request.writeUInt16BE(port, 24)
  request.writeUInt16BE(peerPort, 26)
  request.set(address, 28)
  request.set(peerAddress, 44)
  request.writeUInt32LE(noCookie, 64)
  request.writeUInt32LE(noCookie, 68)
}

/**
 * A listener answers for its port when there is no connection, so the reply has to be about this one. An end that its program has closed has no
 * inode any more, and would be root's: the kernel looks the user up before the inode (inet_diag_msg_attrs_fill), so one that is closed
 * meanwhile shows as well.
 */
function readReply(reply: Buffer, { port, peerPort }: SocketEnd): SocketOwner {
  const type = reply.readUInt16LE(4)
  if (type === NLMSG_ERROR) return reply.readInt32LE(16) === -constants.errno.ENOENT ? 'none' : 'unknown'
  if (type !== SOCK_DIAG_BY_FAMILY || reply.length < offsets.end) return 'unknown'
  const isTheOne =
    heldStates.includes(reply.readUInt8(offsets.state)) &&
    reply.readUInt32LE(offsets.inode) !== 0 &&
    reply.readUInt16BE(offsets.sourcePort) === port &&
    reply.readUInt16BE(offsets.destinationPort) === peerPort
  return isTheOne ? reply.readUInt32LE(offsets.uid) : 'none'
}
