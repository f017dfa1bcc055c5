/** Runs in the network of a container: measures connections to a server of the claim about links. Usage: node link-visitor.ts HOST PORT */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Visit {
  readonly megabytesPerSecond: readonly number[]
  readonly roundTripUs: readonly number[]
  readonly connectUs: readonly number[]
}

const [host = '', port = ''] = process.argv.slice(2)

async function open(): Promise<Socket> {
  const socket = connect({ host, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function roundTrips(count: number): Promise<readonly number[]> {
  const socket = await open()
  const times: number[] = []
  for (let trip = 0; trip < count; trip++) {
    const beganMs = performance.now()
    socket.write('e')
    await once(socket, 'data')
    times.push((performance.now() - beganMs) * 1000)
  }
  socket.destroy()
  // The first ones are slower: both sides have just begun.
  return times.slice(count / 10)
}

async function connections(count: number): Promise<readonly number[]> {
  const times: number[] = []
  for (let one = 0; one < count; one++) {
    const beganMs = performance.now()
    const socket = await open()
    times.push((performance.now() - beganMs) * 1000)
    socket.destroy()
  }
  return times
}

async function throughput(): Promise<number> {
  const socket = await open()
  const beganMs = performance.now()
  let bytes = 0
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  socket.write('s')
  await once(socket, 'end')
  return bytes / 1e6 / ((performance.now() - beganMs) / 1000)
}

const visit: Visit = {
  roundTripUs: await roundTrips(2000),
  connectUs: await connections(500),
  megabytesPerSecond: [await throughput(), await throughput(), await throughput()],
}
process.stdout.write(JSON.stringify(visit))
process.exit(0)
