/**
 * Node's HTTP module, loaded at its first use and without its ES module face: `import http from 'node:http'` touches lazily loaded parts
 * (WebSocket, and undici below it) that cost 24 to 48 ms, this costs 3.
 */
export function builtinHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

/** The same for HTTPS. */
export function builtinHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
