/** A tool that runs for as long as it likes, with its streams open: nothing of it is kept, and what is not read holds it up. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type OpenCommand, type Tool, toolEnvironment, tools } from './port.ts'

type Piece = { readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }

const missing = 127
const killed = 128

export function openCommand(tool: Tool, args: readonly string[]): OpenCommand {
  const child = spawn(tools[tool].path, args, { env: toolEnvironment, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' })
  const { promise: exitCode, resolve } = Promise.withResolvers<number>()
  child.once('error', () => resolve(missing))
  child.once('close', code => resolve(code ?? killed))
  // Whoever writes to one that has ended learns by its exit code.
  child.stdin.on('error', () => undefined)
  return {
    pid: child.pid,
    output: outputOf(child),
    exitCode,
    write: bytes =>
      new Promise(done => {
        if (child.stdin.destroyed || child.stdin.writableEnded) done()
        else child.stdin.write(bytes, () => done())
      }),
    end: () => void child.stdin.end(),
  }
}

async function* outputOf({ stdout, stderr }: ChildProcessWithoutNullStreams): AsyncGenerator<Piece> {
  const open = new Map([
    ['stdout' as const, piecesOf(stdout, 'stdout')],
    ['stderr' as const, piecesOf(stderr, 'stderr')],
  ])
  const next = new Map([...open].map(([stream, pieces]) => [stream, pieces.next()] as const))
  try {
    while (next.size > 0) {
      const [stream, result] = await Promise.race([...next].map(async ([name, piece]) => [name, await piece] as const))
      const pieces = open.get(stream)
      if (result.done === true || pieces === undefined) next.delete(stream)
      else {
        next.set(stream, pieces.next())
        yield result.value
      }
    }
  } finally {
    // Whoever leaves early does not wait for these, which the end of the streams makes fail.
    for (const piece of next.values()) piece.catch(() => undefined)
    stdout.destroy()
    stderr.destroy()
  }
}

async function* piecesOf(readable: Readable, stream: Piece['stream']): AsyncGenerator<Piece> {
  for await (const bytes of readable as AsyncIterable<Buffer>) yield { stream, bytes }
}
