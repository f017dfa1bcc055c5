/**
 * A registry that does one thing wrong for each image: `node bad-registry.ts PORT GOOD`, run on a lab host. Images are named after what goes wrong:
 * `unauthorized` 401, `busy` 429, `truncated` and `wrong` (bytes that are not those of the digest) layers, `mute` no answer at all, `silent` a layer that
 * stops in the middle, `trickle` one that comes by the byte from there on. Nothing is wrong with `slow`, that of the registry GOOD (HOST:PORT), but its pace.
 */
import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'

const [, , port, goodRegistry] = process.argv

const layer = Buffer.alloc(1_048_576, 'an archive it is not')
const config = Buffer.from(
  JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
)
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digestOf(config) },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', size: layer.length, digest: digestOf(layer) }],
  }),
)

createServer((request, response) => {
  const [, , image = '', kind = '', reference = ''] = (request.url ?? '').split('/')
  if (image === 'unauthorized') return refuse(response, 401, 'UNAUTHORIZED', 'authentication required')
  if (image === 'busy') return refuse(response, 429, 'TOOMANYREQUESTS', 'pull rate limit')
  if (image === 'mute') return
  if (image === 'slow') return void passSlowly(request.url ?? '', request.headers.accept ?? '', response).catch(() => response.destroy())
  if (kind === 'manifests') {
    response.writeHead(200, {
      'content-type': 'application/vnd.docker.distribution.manifest.v2+json',
      'docker-content-digest': digestOf(manifest),
      'content-length': manifest.length,
    })
    return void response.end(request.method === 'HEAD' ? undefined : manifest)
  }
  if (kind === 'blobs' && reference === digestOf(config)) return void response.end(config)
  if (kind === 'blobs') return sendLayer(response, image, request.headers.range !== undefined)
  response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}')
}).listen(Number(port), '127.0.0.1')

function sendLayer(response: ServerResponse, image: string, isRest: boolean): void {
  const half = layer.length / 2
  if (isRest) {
    // Of what is asked for once more not a byte comes.
    response.writeHead(206, { 'content-range': `bytes ${half}-${layer.length - 1}/${layer.length}`, 'content-length': half })
    response.flushHeaders()
    return void setTimeout(() => response.destroy(), 10)
  }
  response.writeHead(200, { 'content-length': layer.length })
  if (image === 'wrong') return void response.end(Buffer.alloc(layer.length, 'something else'))
  response.write(layer.subarray(0, half), () => {
    if (image === 'truncated') response.destroy()
    if (image === 'trickle') sendByTheByte(response, half)
  })
}

function sendByTheByte(response: ServerResponse, from: number): void {
  let at = from
  const timer = setInterval(() => response.write(layer.subarray(at, ++at)), 200)
  response.once('close', () => clearInterval(timer))
}

const pieceBytes = 65_536
const pieceMs = 400

async function passSlowly(url: string, accept: string, response: ServerResponse): Promise<void> {
  const answer = await fetch(`http://${goodRegistry}${url}`, { headers: { accept } })
  const body = Buffer.from(await answer.arrayBuffer())
  const passed = ['content-type', 'docker-content-digest'].flatMap(name => {
    const value = answer.headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  response.writeHead(answer.status, { ...Object.fromEntries(passed), 'content-length': body.length })
  for (let at = 0; at < body.length; at += pieceBytes) {
    response.write(body.subarray(at, at + pieceBytes))
    if (at > 0) await new Promise(resolve => setTimeout(resolve, pieceMs))
  }
  response.end()
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [{ code, message }] }))
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
