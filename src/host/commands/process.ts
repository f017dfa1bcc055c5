/**
 * Runs tools as child processes. On `node:child_process` itself: a tool by absolute path with an argument list needs nothing of what
 * execa adds, which costs 90 ms and 24 MB when it is loaded.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { limits } from '../../api/index.ts'
import { commandFailed } from './errors.ts'
import { openCommand } from './open.ts'
import { type CommandOptions, type CommandResult, type Commands, type Tool, toolEnvironment, tools } from './port.ts'

interface Bounds {
  readonly runMs: number
  readonly outputBytes: number
}

export function processCommands(bounds: Bounds = { runMs: limits.toolCallMs, outputBytes: limits.toolOutputBytes }): Commands {
  return {
    run: (tool, args, { runMs = bounds.runMs, ...options } = {}) => run(tool, args, { bounds: { ...bounds, runMs }, ...options }),
    open: openCommand,
  }
}

/** Starts one of the tools with nothing on its standard input. */
export function startTool(
  tool: Tool,
  args: readonly string[],
  variables: CommandOptions['variables'] = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(tools[tool].path, args, { env: { ...toolEnvironment, ...variables }, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' })
}

function run(
  tool: Tool,
  args: readonly string[],
  { bounds, signal, variables }: CommandOptions & { readonly bounds: Bounds },
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const child = startTool(tool, args, variables)
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let sizeBytes = 0
    const timer = setTimeout(() => giveUp(commandFailed(tool, args, new Error(`it took longer than ${bounds.runMs} ms`))), bounds.runMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => collect(stdout, chunk))
    child.stderr.on('data', (chunk: Buffer) => collect(stderr, chunk))
    child.once('error', cause => giveUp(commandFailed(tool, args, cause)))
    child.once('close', (exitCode, killedBy) => {
      finish()
      if (exitCode === null) reject(commandFailed(tool, args, new Error(`it was killed by ${killedBy}`)))
      else resolve({ exitCode, stdout: textOf(stdout), stderr: textOf(stderr) })
    })

    function collect(chunks: Buffer[], chunk: Buffer): void {
      sizeBytes += chunk.length
      if (sizeBytes > bounds.outputBytes) giveUp(commandFailed(tool, args, new Error(`it printed more than ${bounds.outputBytes} bytes`)))
      else chunks.push(chunk)
    }

    function onAbort(): void {
      giveUp(signal?.reason)
    }

    /** Kills the tool and closes our ends of its pipes: a child it left behind may hold the others open for ever. */
    function giveUp(reason: unknown): void {
      finish()
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      reject(reason)
    }

    function finish(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8')
}
