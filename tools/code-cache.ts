/**
 * Compiles what commands run, as a part of the build: `cli.cache` and `agent.cache` beside the scripts. V8 compiles a function when it is first called,
 * which takes a quarter of a command's time; so a few commands are run here against an agent of cardboard, and what V8 has compiled by then is kept.
 * Functions that were not called stay out: they would cost more to read than they save.
 *
 * Usage: node (flags of bin/gear) tools/code-cache.ts FOLDER
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'
import { printOutput, sessionProtocol } from '../src/api/index.ts'
import type * as cli from '../src/cli/index.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('Usage: node tools/code-cache.ts FOLDER')
const require = createRequire(`${folder}/`)

// What ran once, as all that begins a module does, would be forgotten before the end. The flag is as it was when the code is taken: V8 notes
// its flags with it.
setFlagsFromString('--no-flush-bytecode')

const compiled = new Map<string, { readonly script: Script; readonly exports: unknown }>()

/** As the loader in `main.cjs` does, with the script kept. */
function load(name: string): unknown {
  const known = compiled.get(name)
  if (known !== undefined) return known.exports
  const path = `${folder}/${name}.js`
  const script = new Script(readFileSync(path, 'latin1'), { filename: path })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, require, module, path, folder, load)
  compiled.set(name, { script, exports: module.exports })
  return module.exports
}

/** Answers what an agent would, as far as commands can be run with it. */
const server = createServer((request, response) => {
  request.resume()
  const answer = (status: number, type: string, body: string) => response.writeHead(status, { 'Content-Type': type }).end(body)
  const unit = { Id: 'web-1', ActiveState: 'active', SubState: 'running', LoadState: 'loaded' }
  if (request.url?.startsWith('/containers') === true) answer(200, 'application/json', JSON.stringify({ Containers: [unit] }))
  else if (request.method === 'GET') answer(202, 'text/plain', 'A=1\n')
  else response.writeHead(202, { 'Content-Type': 'text/plain', 'X-PortMapping': '8080:4000' }).end('starting\n')
})
server.on('upgrade', (_request, socket) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${sessionProtocol}\r\n\r\n`)
  socket.end(printOutput({ kind: 'exit', exitCode: 0 }))
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

const { processContext, runCommandLine } = load('cli') as typeof cli
for (const words of [
  ['list-units', '--all', host],
  ['install', 'acme/shop', `${host}/web-1`, '--start', '-p', '8080:0', 'MODE=test'],
  ['start', `${host}/web-1`],
  ['stop', `${host}/web-1`],
  ['status', `${host}/web-1`],
  ['exec', `${host}/web-1`, '--', 'true'],
]) {
  await runCommandLine(words, processContext('version'))
}
load('agent')
setFlagsFromString('--flush-bytecode')
for (const [name, { script }] of compiled) writeFileSync(`${folder}/${name}.cache`, script.createCachedData())
process.exit()
