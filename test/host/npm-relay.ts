/**
 * The npm registry for builds on lab hosts, which have no way to it: a server on this machine's side of the lab's bridge that passes what it is asked for on to
 * the real one, keeps it, and counts. Packages are checked by npm with the sums of the lock file, whoever brings them.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Agent, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates } from 'node:tls'
import type { LabHost } from './lab-host.ts'

interface Kept {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

export interface NpmRelay extends AsyncDisposable {
  readonly url: string
  /** Paths that were asked for since the last time. */
  asked(): readonly string[]
}

const answerMs = 60_000

/** Reachable from the host and its containers. */
export async function openNpmRelay(host: LabHost): Promise<NpmRelay> {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', cwd: '/' }).trim()
  // the machine's own proxy, where it has one, and whom the machine trusts: a proxy may show certificates of its own
  const agent = new Agent({ keepAlive: true, maxSockets: 16, proxyEnv: process.env, ca: trusted() })
  const kept = new Map<string, Promise<Kept>>()
  let asked: string[] = []
  const server = createServer(async ({ url = '/', method, headers }, response) => {
    if (method !== 'GET') return void response.writeHead(405).end()
    asked.push(decodeURIComponent(url))
    const accept = headers.accept ?? '*/*'
    const key = `${accept} ${url}`
    try {
      if (!kept.has(key)) kept.set(key, fetched(new URL(url, registry), { accept, agent }))
      const { status, type, body } = (await kept.get(key)) as Kept
      response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body)
    } catch (error) {
      kept.delete(key)
      response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ error: `${registry}: ${error}` }))
    }
  })
  server.listen(0, await bridgeAddress(host))
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return {
    url: `http://${address}:${port}/`,
    asked: () => {
      const paths = asked
      asked = []
      return paths
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** The authorities that come with Node and, as far as there are some, those of the machine. */
function trusted(): string[] {
  return [...getCACertificates('bundled'), ...getCACertificates('system'), ...getCACertificates('extra')]
}

/** The machine is the first of the lab's subnet. */
async function bridgeAddress(host: LabHost): Promise<string> {
  return (await host.address()).replace(/\d+$/, '1')
}

async function fetched(url: URL, { accept, agent }: { readonly accept: string; readonly agent: Agent }): Promise<Kept> {
  const request = get(url, { agent, headers: { accept }, signal: AbortSignal.timeout(answerMs) })
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  const { statusCode = 502, headers } = response
  return { status: statusCode, type: headers['content-type'] ?? 'application/octet-stream', body: Buffer.concat(pieces) }
}
