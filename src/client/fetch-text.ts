/** A text behind an http or https URL, as a deployment file may be: bounded in time and size, redirects followed. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { builtinHttp, builtinHttps } from '../lib/index.ts'

export interface FetchOptions {
  /** For everything together: connecting, redirects, and the last byte. */
  readonly timeoutMs: number
  readonly bytesMax: number
  /** Certificates are not looked at. */
  readonly isInsecure: boolean
  readonly signal: AbortSignal
}

const redirectsMax = 5

/** Throws an Error that says why there is no text; what the server answered must have status 200. One byte over the limit is kept, to tell. */
export async function fetchText(address: string, { timeoutMs, bytesMax, isInsecure, signal }: FetchOptions): Promise<string> {
  const late = AbortSignal.timeout(timeoutMs)
  const either = AbortSignal.any([signal, late])
  try {
    let url = new URL(address)
    for (let redirects = 0; redirects <= redirectsMax; redirects++) {
      const answer = await get(url, isInsecure, either)
      const status = answer.statusCode ?? 0
      const location = answer.headers.location
      if (status >= 300 && status < 400 && location !== undefined) {
        answer.destroy()
        url = new URL(location, url)
        if (url.protocol !== 'http:' && url.protocol !== 'https:')
          throw new Error(`it leads to ${url.protocol}, which is neither http nor https`)
        continue
      }
      if (status !== 200) {
        answer.destroy()
        throw new Error(`it answers with status ${status}`)
      }
      return await textOf(answer, bytesMax, either)
    }
    throw new Error(`it leads from one address to the next more than ${redirectsMax} times`)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (late.aborted) throw new Error(`it did not answer within ${timeoutMs / 1000} s`)
    throw untrusted(error) ?? error
  }
}

/** Node's own words for a certificate name a flag of Node. */
function untrusted(error: unknown): Error | undefined {
  const code = (error as { readonly code?: unknown }).code
  if (typeof code !== 'string' || !/CERT|SIGNATURE/.test(code)) return undefined
  return new Error(`its certificate is not trusted (${code}); --insecure (-k) takes any`)
}

function get(url: URL, isInsecure: boolean, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options = { headers: { Accept: 'application/json' }, signal, agent: false as const }
  const request: ClientRequest =
    url.protocol === 'https:'
      ? builtinHttps().get(url, { ...options, rejectUnauthorized: !isInsecure }, resolve)
      : builtinHttp().get(url, options, resolve)
  request.on('error', reject)
  return promise
}

async function textOf(answer: IncomingMessage, bytesMax: number, signal: AbortSignal): Promise<string> {
  const stop = () => answer.destroy(new Error('too late'))
  signal.addEventListener('abort', stop, { once: true })
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of answer) {
    pieces.push(piece as Buffer)
    sizeBytes += (piece as Buffer).length
    if (sizeBytes > bytesMax) break
  }
  answer.destroy()
  signal.removeEventListener('abort', stop)
  return Buffer.concat(pieces).toString('utf8')
}
