/** The HTTP floor: reads what it is sent, and answers `/N` with N bytes. Prints its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((incoming, outgoing) => {
  incoming.resume().on('end', () => {
    outgoing.setHeader('Content-Type', 'application/json')
    outgoing.end('x'.repeat(Number(incoming.url?.slice(1))))
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
