/**
 * Runs in the network of a container: measures connections to the servers of the claim about links, by each way there is to them.
 * Usage: node link-visitor.ts HOST PORT [HOST PORT]...
 *
 * Everything goes the ways in turns: whether client and server share a processor at the moment makes a difference of more than two times,
 * and is then the same for all of them.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Visit {
  readonly megabytesPerSecond: readonly number[]
  readonly roundTripUs: readonly number[]
  readonly connectUs: readonly number[]
}

interface Way {
  readonly host: string
  readonly port: number
}

async function open({ host, port }: Way): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function roundTrips(ways: readonly Way[], count: number): Promise<readonly (readonly number[])[]> {
  const sockets = await Promise.all(ways.map(open))
  const times = sockets.map((): number[] => [])
  for (let trip = 0; trip < count; trip++) {
    for (const [index, socket] of sockets.entries()) {
      const beganMs = performance.now()
      socket.write('e')
      await once(socket, 'data')
      times[index]?.push((performance.now() - beganMs) * 1000)
    }
  }
  for (const socket of sockets) socket.destroy()
  // The first ones are slower: both sides have just begun.
  return times.map(list => list.slice(count / 10))
}

async function connections(ways: readonly Way[], count: number): Promise<readonly (readonly number[])[]> {
  const times = ways.map((): number[] => [])
  for (let one = 0; one < count; one++) {
    for (const [index, way] of ways.entries()) {
      const beganMs = performance.now()
      const socket = await open(way)
      times[index]?.push((performance.now() - beganMs) * 1000)
      socket.destroy()
    }
  }
  return times
}

async function throughput(way: Way): Promise<number> {
  const socket = await open(way)
  const beganMs = performance.now()
  let bytes = 0
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  socket.write('s')
  await once(socket, 'end')
  return bytes / 1e6 / ((performance.now() - beganMs) / 1000)
}

const words = process.argv.slice(2)
const ways: readonly Way[] = Array.from({ length: words.length / 2 }, (_, index) => ({
  host: words[index * 2] ?? '',
  port: Number(words[index * 2 + 1]),
}))
const trips = await roundTrips(ways, 2000)
const connects = await connections(ways, 500)
const speeds = ways.map((): number[] => [])
for (let turn = 0; turn < 15; turn++) for (const [index, way] of ways.entries()) speeds[index]?.push(await throughput(way))
const visits: readonly Visit[] = ways.map((_, index) => ({
  roundTripUs: trips[index] ?? [],
  connectUs: connects[index] ?? [],
  megabytesPerSecond: speeds[index] ?? [],
}))
process.stdout.write(JSON.stringify(visits))
process.exit(0)
