/**
 * A registry that does one thing wrong for each image: `node bad-registry.ts PORT`, run on a lab host. Images are named after what goes wrong:
 * `unauthorized` 401, `busy` 429, `truncated` and `wrong` (bytes that are not those of the digest) layers, `silent` a layer that never ends.
 */
import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'

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
  if (kind === 'manifests') {
    response.writeHead(200, {
      'content-type': 'application/vnd.docker.distribution.manifest.v2+json',
      'docker-content-digest': digestOf(manifest),
      'content-length': manifest.length,
    })
    return void response.end(request.method === 'HEAD' ? undefined : manifest)
  }
  if (kind === 'blobs' && reference === digestOf(config)) return void response.end(config)
  if (kind === 'blobs') return sendLayer(response, image)
  response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}')
}).listen(Number(process.argv[2]), '127.0.0.1')

function sendLayer(response: ServerResponse, image: string): void {
  response.writeHead(200, { 'content-length': layer.length })
  if (image === 'wrong') return void response.end(Buffer.alloc(layer.length, 'something else'))
  response.write(layer.subarray(0, layer.length / 2), () => {
    if (image === 'truncated') response.destroy()
  })
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [{ code, message }] }))
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
