/**
 * Whose the other end of a connection within this host is. The kernel is asked about the one connection; where it cannot be asked, the answer
 * is looked up in its tables as text.
 */
import type { Files } from '../files/port.ts'
import { Rounds } from '../rounds.ts'
import { addressBytes, asIpv6, procAddress } from './addresses.ts'
import type { Connection, Network } from './port.ts'
import type { SocketDiagnosis, SocketEnd } from './socket-diagnosis.ts'

/** A host with many thousands of connections has that much. */
const tableBytesMax = 67_108_864

/** TCP states as `/proc/net/tcp` prints them (include/net/tcp_states.h): established, and closed for sending (FIN_WAIT1, FIN_WAIT2). */
const heldStates: readonly (string | undefined)[] = ['01', '04', '05']

export function connectionOwners(files: Pick<Files, 'read'>, diagnose: SocketDiagnosis): Network['ownerOfConnection'] {
  const tables = { tcp: connectionTable(files, 'tcp'), tcp6: connectionTable(files, 'tcp6') }
  return async connection => {
    const end = otherEnd(connection)
    if (end === undefined) return undefined
    const owner = diagnose(end)
    if (owner === 'unknown') return ownerInTables(tables, end)
    return owner === 'none' ? undefined : owner
  }
}

/** The other end has our remote side as its own. Undefined when the addresses are of two kinds, or none. */
function otherEnd({ localAddress, localPort, remoteAddress, remotePort }: Connection): SocketEnd | undefined {
  const peerAddress = addressBytes(localAddress)
  const address = addressBytes(remoteAddress)
  if (address === undefined || address.length !== peerAddress?.length) return undefined
  return { address, port: remotePort, peerAddress, peerPort: localPort }
}

/** Both tables of the kernel's connections, as text. */
interface ConnectionTables {
  readonly tcp: Rounds<string>
  readonly tcp6: Rounds<string>
}

/**
 * A table is read once for all who ask meanwhile. Any local user may open a thousand connections at once, and make the table long; a
 * reading for each of them would take gigabytes. A kernel without IPv6 has no tcp6.
 */
function connectionTable(files: Pick<Files, 'read'>, table: keyof ConnectionTables): Rounds<string> {
  return new Rounds(async () => (await files.read(`/proc/net/${table}`, tableBytesMax)) ?? '')
}

/** A program may reach IPv4 through an IPv6 socket; then its row is in tcp6. */
async function ownerInTables(tables: ConnectionTables, end: SocketEnd): Promise<number | undefined> {
  if (end.address.length === 4) {
    const owner = await ownerIn(tables.tcp, end)
    if (owner !== undefined) return owner
  }
  return ownerIn(tables.tcp6, { ...end, address: asIpv6(end.address), peerAddress: asIpv6(end.peerAddress) })
}

/**
 * Rows are `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …` (proc(5)). An end that its program has
 * closed has no inode any more, and its uid means nothing.
 */
async function ownerIn(table: Rounds<string>, { address, port, peerAddress, peerPort }: SocketEnd): Promise<number | undefined> {
  const text = await table.join()
  const row = `: ${procAddress(address)}:${procPort(port)} ${procAddress(peerAddress)}:${procPort(peerPort)} `
  const start = text.indexOf(row)
  if (start === -1) return undefined
  const [, , , state, , , , uid, , inode] = text.slice(start, text.indexOf('\n', start)).split(/\s+/)
  return heldStates.includes(state) && inode !== '0' ? Number(uid) : undefined
}

function procPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
