import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FetchOptions, fetchText } from './fetch-text.ts'

const options: FetchOptions = { timeoutMs: 60_000, bytesMax: 1000, isInsecure: false, signal: new AbortController().signal }

const answers: RequestListener = (request, response) => {
  switch (request.url) {
    case '/shop.json':
      response.end(`{"accept": "${request.headers.accept}"}`)
      break
    case '/moved':
      response.writeHead(302, { Location: '/shop.json' }).end()
      break
    case '/round':
      response.writeHead(302, { Location: '/round' }).end()
      break
    case '/away':
      response.writeHead(302, { Location: 'file:///etc/passwd' }).end()
      break
    case '/huge':
      response.end('x'.repeat(100_000))
      break
    case '/silent':
      break
    case '/stalls':
      response.write('{')
      break
    default:
      response.writeHead(404).end('{}')
  }
}

let plain: Server
let secure: Server
let folder: string
const addressOf = (server: Server) => `127.0.0.1:${(server.address() as AddressInfo).port}`

beforeAll(async () => {
  folder = mkdtempSync(`${tmpdir()}/gear-tls-`)
  const [key, cert] = [`${folder}/key`, `${folder}/cert`]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  plain = createServer(answers)
  secure = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answers)
  for (const server of [plain, secure]) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  for (const server of [plain, secure]) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true })
})

describe('a text behind a URL', () => {
  it('is fetched with the wish for JSON, also after a redirect', async () => {
    expect(await fetchText(`http://${addressOf(plain)}/shop.json`, options)).toBe('{"accept": "application/json"}')
    expect(await fetchText(`http://${addressOf(plain)}/moved`, options)).toBe('{"accept": "application/json"}')
  })

  it.each([
    ['/none', 'it answers with status 404'],
    ['/round', 'it leads from one address to the next more than 5 times'],
    ['/away', 'it leads to file:, which is neither http nor https'],
  ])('is none when the answer is another: %s', async (path, message) => {
    await expect(fetchText(`http://${addressOf(plain)}${path}`, options)).rejects.toThrow(message)
  })

  it('is cut after one byte more than there may be, or soon after', async () => {
    const text = await fetchText(`http://${addressOf(plain)}/huge`, options)
    expect(text.length).toBeGreaterThan(options.bytesMax)
    expect(text.length).toBeLessThan(100_001)
  })

  it.each(['/silent', '/stalls'])('is not waited for longer than was said: %s', async path => {
    await expect(fetchText(`http://${addressOf(plain)}${path}`, { ...options, timeoutMs: 50 })).rejects.toThrow(
      'it did not answer within 0.05 s',
    )
  })

  it('is not waited for when the user has enough', async () => {
    const interruption = new AbortController()
    const fetching = fetchText(`http://${addressOf(plain)}/silent`, { ...options, signal: interruption.signal })
    interruption.abort(new Error('enough'))
    await expect(fetching).rejects.toThrow('enough')
  })

  it('comes from a server whose certificate is good, unless nobody cares', async () => {
    await expect(fetchText(`https://${addressOf(secure)}/shop.json`, options)).rejects.toThrow(
      'its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); --insecure (-k) takes any',
    )
    expect(await fetchText(`https://${addressOf(secure)}/shop.json`, { ...options, isInsecure: true })).toContain('application/json')
  })
})
