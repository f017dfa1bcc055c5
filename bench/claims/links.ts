/**
 * Links cost next to nothing: 1,000 are applied in under 150 ms, setting them is answered in under 10 ms, and what goes through one is as quick as
 * what goes to its target directly.
 *
 * The connections are made in the network of a running container, to a server on the host: through the link, and to the same address without it.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { agentPort, ids, installAll, until, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'
import type { Visit } from '../link-visitor.ts'

const repetitions = 5
const [id = ''] = ids('links', 1)
const linkPort = 7000
const chunk = Buffer.alloc(65_536)
const streamBytes = 64 * 1024 * 1024

export async function measure(): Promise<readonly Measurement[]> {
  await installAll([id], { Started: true })
  using caller = new Caller(agentPort)
  await untilState(caller, id, 'active')
  // The first makes the folder of the links file, too.
  const set = [await settings(caller, 1), await settings(caller, 1000)]
  return [...applications(), ...set, ...(await visits(caller))]
}

/** How long the helper takes, which a start of the container waits for. */
function applications(): readonly Measurement[] {
  const measurements: Measurement[] = []
  for (const count of [1, 100, 1000]) {
    writeFileSync(
      linksFile(),
      links(count)
        .map(link => `${link.FromHost}\t${link.FromPort}\t${link.ToPort}\t${link.ToHost}\n`)
        .join(''),
    )
    const samples = Array.from({ length: repetitions }, () => Array.from({ length: 5 }, applyMs))
    measurements.push({
      what: `applying ${count} link${count === 1 ? '' : 's'} to a running container`,
      unit: 'ms',
      samples,
      goal: { of: 'p99', atMost: 150 },
    })
  }
  return measurements
}

function applyMs(): number {
  const beganMs = performance.now()
  execFileSync('/usr/lib/gear/libexec/container-links', [id], { env: childEnvironment })
  return performance.now() - beganMs
}

function linksFile(): string {
  return `/var/lib/containers/ports/links/${id.slice(0, 2)}/${id}`
}

function links(count: number, target = { ToHost: '10.200.1.2', ToPort: 20_000 }) {
  return Array.from({ length: count }, (_, index) => ({
    FromHost: '127.0.0.1',
    FromPort: linkPort + index,
    ToHost: target.ToHost,
    ToPort: target.ToPort + index,
  }))
}

/** How long the API takes to store links and to have their application queued. Each call is made when the links of the one before are applied, which takes a processor for a while. */
async function settings(caller: Caller, count: number): Promise<Measurement> {
  const samples: number[][] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const times: number[] = []
    for (let call = 0; call < 20; call++) {
      const body = { Links: [{ Id: id, NetworkLinks: links(count, { ToHost: '10.200.1.2', ToPort: 20_000 + call }) }] }
      times.push((await caller.do({ method: 'POST', path: '/containers/links', body })).ms)
      await untilApplied(caller)
    }
    samples.push(times)
  }
  return {
    what: `setting ${count} link${count === 1 ? '' : 's'} of a running container`,
    unit: 'ms',
    samples,
    ...(count === 1 ? { goal: { of: 'p99', atMost: 10 } as const } : {}),
  }
}

async function untilApplied(caller: Caller): Promise<void> {
  await until('the links are applied', async () => {
    const { body } = await caller.do({ method: 'GET', path: `/container/${id}/links` })
    return (JSON.parse(body) as { Links: { State: string }[] }).Links.every(link => link.State === 'applied')
  })
}

async function visits(caller: Caller): Promise<readonly Measurement[]> {
  const host = ownAddress()
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.once('data', wish => {
      if (wish.toString() !== 'e') return stream(socket)
      socket.write(wish)
      socket.pipe(socket)
    })
  }).listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await caller.do({
    method: 'POST',
    path: '/containers/links',
    body: { Links: [{ Id: id, NetworkLinks: links(1, { ToHost: host, ToPort: port }) }] },
  })
  await untilApplied(caller)
  const through: Visit[] = []
  const direct: Visit[] = []
  const link = { host: '127.0.0.1', port: linkPort }
  const target = { host, port }
  await visit([link, target]) // so that neither is the first
  for (let repetition = 0; repetition < repetitions; repetition++) {
    // Who comes first changes, in case the second has it easier.
    const isLinkFirst = repetition % 2 === 0
    const both = await visit(isLinkFirst ? [link, target] : [target, link])
    const [one, other] = isLinkFirst ? both : both.toReversed()
    if (one === undefined || other === undefined) throw new Error('the visitor came back from one way only')
    through.push(one)
    direct.push(other)
  }
  server.close()
  const compared = (part: keyof Visit) => ({
    samples: through.map(one => one[part]),
    peers: [{ name: 'the direct address', samples: direct.map(one => one[part]) }],
  })
  return [
    { what: 'throughput through a link', unit: 'MB/s', ...compared('megabytesPerSecond'), goal: { of: 'ratio', atLeast: 0.95 } },
    { what: 'round trip through a link', unit: 'µs', ...compared('roundTripUs'), goal: { of: 'ratio', atMost: 1 / 0.95 } },
    // Told for comparison: making the entry for a connection takes the kernel 4 µs, which counts only where there is no wire.
    { what: 'new connection through a link', unit: 'µs', ...compared('connectUs') },
  ]
}

function stream(socket: import('node:net').Socket): void {
  let leftBytes = streamBytes
  const push = (): void => {
    while (leftBytes > 0) {
      leftBytes -= chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', push)
    }
    socket.end()
  }
  push()
}

function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) => (name === 'host0' ? (list ?? []) : []))
  const address = addresses.find(({ family }) => family === 'IPv4')?.address
  if (address === undefined) throw new Error('the host has no address on host0')
  return address
}

/** A visit from inside the container's network, by each of the ways. */
async function visit(ways: readonly { readonly host: string; readonly port: number }[]): Promise<readonly Visit[]> {
  const pid = readFileSync(`/run/containers/${id.slice(0, 2)}/${id}/pid`, 'utf8').trim()
  const visitor = fileURLToPath(new URL('../link-visitor.ts', import.meta.url))
  const words = ways.flatMap(way => [way.host, String(way.port)])
  const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, visitor, ...words], {
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await once(child, 'close')
  return JSON.parse(output) as readonly Visit[]
}
