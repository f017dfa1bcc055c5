/** The command line over real connections, against a server that answers like an original agent. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClient } from './connections.ts'
import { gear, type Setup } from './fake-context.ts'

let server: Server
let host: string
const received: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`)
    request.resume()
    switch (`${request.method} ${request.url}`) {
      case 'PUT /container/web-1':
        response.writeHead(202, { 'Content-Type': 'text/plain', 'X-Portmapping': '8080:4000' }).end('Container web-1 is starting\n')
        break
      case 'GET /containers':
        response
          .writeHead(200, { 'Content-Type': 'application/json' })
          .end('{"Containers":[{"Id":"web-1","ActiveState":"active","SubState":"running","LoadState":"loaded"}]}\n')
        break
      case 'DELETE /container/web-1':
        response.writeHead(204).end()
        break
      case 'GET /environment/shop-env':
        response.writeHead(202, { 'Content-Type': 'text/plain' }).end('A=B\nC=D\n')
        break
      default:
        response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"Message":"Not found"}\n')
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

const connect: NonNullable<Setup['connect']> = (place, { tokenFile }) =>
  openClient(place, { tokenFile, socketPath: '/nonexistent/gear.sock', isRoot: false, platform: 'linux', version: '1.2.3' })

describe('gear against an original agent', () => {
  it('installs, lists, reads environments and deletes', async () => {
    expect(await gear(`install acme/shop ${host}/web-1 -p 8080:0`, { connect })).toEqual({
      out: 'PortMapping: 8080 -> 4000\nContainer web-1 is starting\n',
      err: '',
      exitCode: 0,
    })
    expect((await gear(`list ${host}`, { connect })).out).toContain(`web-1   ${host} active  running loaded`)
    expect(await gear(`env ${host}/shop-env`, { connect })).toMatchObject({ out: 'A=B\nC=D\n', exitCode: 0 })
    expect(await gear(`delete ${host}/web-1`, { connect })).toMatchObject({ out: 'Deleted web-1\n', exitCode: 0 })
  })

  it('says what an error of it stands for', async () => {
    expect(await gear(`status ${host}/web-9`, { connect })).toEqual({
      out: '',
      err: 'Error: Not found [CONTAINER_UNKNOWN]. See which there are with: gear list-units --all.\n',
      exitCode: 1,
    })
  })

  it('tries one call on a host that cannot be reached, and the other hosts', async () => {
    const { out, err, exitCode } = await gear(`delete 127.0.0.1:1/web-2 ${host}/web-1 127.0.0.1:1/web-3`, { connect })
    expect(out).toBe(`${host} Deleted web-1\n`)
    expect(err.split('\n').map(line => line.slice(0, 64))).toEqual([
      'Error: 127.0.0.1:1/web-2: The agent at 127.0.0.1:1 cannot be rea',
      'Error: 127.0.0.1:1/web-3: The agent at 127.0.0.1:1 cannot be rea',
      '',
    ])
    expect(exitCode).toBe(1)
  })
})

describe('gear on this machine without an agent', () => {
  it('is for root only', async () => {
    expect(await gear('list', { connect })).toMatchObject({
      err: expect.stringMatching(
        /^Error: No agent answers on \/nonexistent\/gear.sock, and only root can do its work without one \[CALLER_REFUSED\]/,
      ),
      exitCode: 1,
    })
  })
})
