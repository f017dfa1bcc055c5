/**
 * A command in a container over two APIs by one small client, from the connection to the exit code: that of gear's agent, and Docker's. Both make a connection
 * of their own for the session, on a socket in the file system.
 */
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'

/** Kinds of frames of a session, and the length of what is before each (src/api/sessions.ts). */
const frames = { begin: 0, exit: 18, failed: 19 } as const
const headBytes = 5

export async function gearExecMs(id: string, command: readonly string[]): Promise<number> {
  const beganMs = performance.now()
  const outgoing = request({
    socketPath: '/run/gear/gear.sock',
    method: 'POST',
    path: `/container/${id}/exec`,
    headers: { Host: 'gear', Connection: 'Upgrade', Upgrade: 'gear-session' },
    agent: false,
  })
  outgoing.end()
  const [, socket, head] = (await once(outgoing, 'upgrade')) as [unknown, Socket, Buffer]
  const body = Buffer.from(JSON.stringify({ Command: command }))
  const begin = Buffer.alloc(headBytes)
  begin.writeUInt8(frames.begin)
  begin.writeUInt32BE(body.length, 1)
  socket.write(Buffer.concat([begin, body]))
  const exit = await lastFrame(socket, head)
  const ms = performance.now() - beganMs
  socket.destroy()
  if (exit !== '{"ExitCode":0}') throw new Error(`the session ended with ${exit}`)
  return ms
}

/** What the frame `exit` or `failed` says. */
async function lastFrame(socket: Socket, head: Buffer): Promise<string> {
  let rest = head
  for (;;) {
    while (rest.length >= headBytes && rest.length >= headBytes + rest.readUInt32BE(1)) {
      const [kind, end] = [rest.readUInt8(), headBytes + rest.readUInt32BE(1)]
      if (kind === frames.exit || kind === frames.failed) return rest.subarray(headBytes, end).toString()
      rest = rest.subarray(end)
    }
    const [piece] = (await once(socket, 'data')) as [Buffer]
    rest = Buffer.concat([rest, piece])
  }
}

/** Three calls, as Docker has it: one that makes the exec, one that starts it and lasts as long as it, one for its exit code. */
export async function dockerExecMs(name: string, command: readonly string[]): Promise<number> {
  const beganMs = performance.now()
  const exec = { AttachStdout: true, AttachStderr: true, Cmd: command }
  const { Id } = JSON.parse(await dockerCall('POST', `/containers/${name}/exec`, exec)) as { readonly Id: string }
  await dockerCall('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })
  const { ExitCode } = JSON.parse(await dockerCall('GET', `/exec/${Id}/json`)) as { readonly ExitCode: number }
  const ms = performance.now() - beganMs
  if (ExitCode !== 0) throw new Error(`the exec ended with ${ExitCode}`)
  return ms
}

async function dockerCall(method: string, path: string, body?: unknown): Promise<string> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }
  const outgoing = request({ socketPath: '/run/docker.sock', method, path, headers: { Host: 'docker', ...headers }, agent: false })
  outgoing.end(payload)
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  const answer = await text(incoming)
  if ((incoming.statusCode ?? 0) >= 300) throw new Error(`docker answered ${method} ${path} with ${incoming.statusCode}: ${answer}`)
  return answer
}
