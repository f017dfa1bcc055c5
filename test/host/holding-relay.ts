/**
 * A relay before a registry of a lab host, for pulls that have to be in their middle: `node holding-relay.ts PORT REGISTRY_PORT FILE`. After its first 64 KiB
 * a connection gets nothing more until FILE is there.
 */
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [port, registryPort, file = ''] = process.argv.slice(2)

createServer(caller => {
  const registry = connect(Number(registryPort), '127.0.0.1')
  let passedBytes = 0
  registry.on('data', bytes => {
    caller.write(bytes)
    passedBytes += bytes.length
    if (passedBytes > 65_536 && !existsSync(file)) registry.pause()
  })
  const watch = setInterval(() => existsSync(file) && registry.resume(), 100)
  caller.on('data', bytes => registry.write(bytes))
  for (const [one, other] of [
    [caller, registry],
    [registry, caller],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => {
      clearInterval(watch)
      other.end()
    })
  }
}).listen(Number(port), '127.0.0.1')
