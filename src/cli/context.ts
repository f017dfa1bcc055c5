/**
 * The command line's view of its process: arguments, environment, terminal, interruptions. The only file of the command line that touches
 * `process` or files; commands get a `Context`, tests make one of their own.
 */
import { GearError } from '../api/index.ts'
import { type Client, pause as delay } from '../client/index.ts'
import type { LocatorHost } from '../formats/index.ts'
import { openClient } from './connections.ts'
import { foreignText } from './render/foreign-text.ts'

export interface Output {
  /** Resolves when more can be taken. Never fails: when nobody reads any more, the signal of the context aborts. */
  write(text: string): Promise<void>
  /** A terminal that can be steered: not `TERM=dumb`. */
  readonly isTerminal: boolean
  readonly columns: number
  readonly rows: number
  /** On a terminal, text that may steer it: nothing of others may be in it. */
  draw(text: string): Promise<void>
}

export interface Context {
  readonly version: string
  /** As Node names the system: linux, darwin, win32. */
  readonly platform: string
  readonly out: Output
  readonly err: Output
  /** Aborts with an `Interruption`. */
  readonly signal: AbortSignal
  /** `GEAR_TOKENS`, also `GEAR_TOKEN_FILE`; else the file in the user's configuration, when it is there. */
  readonly tokenFile: string | undefined
  /** Asks somebody who can answer: yes or no. Undefined where nobody can, since input or standard error is no terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Ends early when the signal of the context aborts. */
  readonly pause: (waitMs: number) => Promise<void>
  /** A variable of the environment; undefined when it is not set, or empty. */
  readonly variable: (name: string) => string | undefined
  readonly connect: (host: LocatorHost, options: { readonly tokenFile: string | undefined }) => Client
  readonly readTextFile: ReadTextFile
  /** Makes a file in the current folder; false when something has that name. */
  readonly createFile: (path: string, text: string) => Promise<boolean>
  /** Replaces a file's content at once, or not at all. */
  readonly replaceFile: (path: string, text: string) => Promise<void>
  /** Waits, whatever the user does meanwhile; rejects with the reason of the signal. */
  readonly delay: (waitMs: number, signal: AbortSignal) => Promise<void>
  /** `user@host`, for messages that others read. */
  readonly identity: () => string
  /** The standard streams as they are, for what talks with a program elsewhere. */
  readonly streams: Streams
  /** All of the standard input, as text. */
  readonly readInput: () => Promise<string>
  /** From here on the command ends when nobody is left who reads its output, though there is nothing to write. */
  readonly endWithReader: () => void
  /** Writes bytes as they come: to a file, which must not be there yet, or to standard output. */
  readonly saveBytes: (bytes: AsyncIterable<Uint8Array>, path: string | undefined) => Promise<void>
}

/** Text of a file, at most so much of it when a limit is given; one byte more tells that there is more. */
export type ReadTextFile = (path: string, bytesMax?: number) => Promise<string>

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Bytes as they come and go; nothing of them is looked at. */
export interface Streams {
  readonly input: () => AsyncIterable<Uint8Array>
  /** Resolves when more can be taken. */
  readonly write: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => Promise<void>
  /** Of the terminal that both the input and the output are; undefined when either is something else. */
  readonly size: () => TerminalSize | undefined
  /** Every key goes to the reader at once, signals among them, until the function returned is called. */
  readonly takeKeys: (onSize: (size: TerminalSize) => void) => () => void
}

/** Why the command was told to stop. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  /** The exit code that says so, as shells count: 128 and the number of the signal. */
  readonly exitCode: number

  constructor(cause: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE') {
    super(`stopped by ${cause}`)
    this.exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 }[cause]
  }

  /** Nobody is left who could read a message. */
  get isSilent(): boolean {
    return this.exitCode === 141
  }
}

export interface ProcessContext extends Context {
  /** Ends the process once all is printed. Leaving its connections and streams to the system is quicker than taking them down one by one. */
  end(exitCode: number): Promise<never>
}

export function processContext(version: string): ProcessContext {
  const interruption = new AbortController()
  let isListening = false
  // Results are mostly what hosts answered; what steers the terminal itself goes to stderr only.
  const out = output(
    () => process.stdout,
    interruption,
    text => (process.stdout.isTTY ? foreignText(text) : text),
  )
  const err = output(
    () => process.stderr,
    interruption,
    text => text,
  )
  return {
    version,
    platform: process.platform,
    out,
    err,
    async end(exitCode) {
      await out.written()
      await err.written()
      const failure = out.failure ?? err.failure
      if (failure === undefined) process.exit(exitCode)
      // A script that reads half a list must not take it for the whole.
      await err.write(`Error: What was to be printed could not be written (${failure.message})\n`)
      await err.written()
      process.exit(1)
    },
    // Only from the first use on: the daemon has its own ways to stop, and `--help` ends by itself.
    get signal() {
      if (!isListening) listen(interruption)
      isListening = true
      return interruption.signal
    },
    get tokenFile() {
      return textOf('GEAR_TOKENS') ?? textOf('GEAR_TOKEN_FILE') ?? ownTokenFile()
    },
    variable: textOf,
    get confirm() {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
      return (question: string) => confirm(question, this.signal)
    },
    nowMs: Date.now,
    pause: waitMs => pause(waitMs, interruption.signal),
    connect: (host, { tokenFile }) =>
      openClient(host, {
        tokenFile,
        socketPath: textOf('GEARD_SOCKET'),
        isRoot: process.getuid?.() === 0,
        platform: process.platform,
        version,
      }),
    readTextFile,
    createFile,
    replaceFile,
    delay,
    identity,
    streams: { ...processStreams, write: (stream, bytes) => (stream === 'stdout' ? out : err).sendBytes(bytes) },
    readInput,
    endWithReader: () => watchReader(interruption),
    saveBytes: (bytes, path) => saveBytes(bytes, path, out.sendBytes),
  }
}

function ownTokenFile(): string | undefined {
  const home = textOf('HOME') === undefined ? undefined : `${textOf('HOME')}/.config`
  const folder = textOf('XDG_CONFIG_HOME') ?? (process.platform === 'win32' ? textOf('APPDATA') : home)
  const path = `${folder}/gear/tokens`
  return folder !== undefined && process.getBuiltinModule('node:fs').existsSync(path) ? path : undefined
}

async function readTextFile(path: string, bytesMax = Number.POSITIVE_INFINITY): Promise<string> {
  const file = await process.getBuiltinModule('node:fs/promises').open(path)
  const pieces: Buffer[] = []
  let sizeBytes = 0
  // A pipe or a device may never end.
  for await (const piece of file.createReadStream() as AsyncIterable<Buffer>) {
    pieces.push(piece)
    sizeBytes += piece.length
    if (sizeBytes > bytesMax) break
  }
  return Buffer.concat(pieces).toString('utf8')
}

const processStreams: Omit<Streams, 'write'> = {
  input: () => process.stdin as AsyncIterable<Uint8Array>,
  size: () =>
    process.stdin.isTTY && process.stdout.isTTY ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 } : undefined,
  takeKeys: onSize => {
    const onResize = () => onSize({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 })
    process.stdin.setRawMode(true)
    process.stdout.on('resize', onResize)
    return () => {
      process.stdin.setRawMode(false)
      process.stdout.off('resize', onResize)
    }
  },
}

/** What ends sooner is not worth another process. */
const followedMs = 500

/**
 * Only a write tells that nobody reads any more, and what is followed may say nothing for hours: `gear log --follow web-1 | head -1` would stay. Node
 * cannot ask about a pipe without writing; tail can (coreutils 8.28), and dies of SIGPIPE in the second after its last reader has gone. Where there is
 * no such tail, the next write tells.
 */
function watchReader(interruption: AbortController): void {
  const timer = setTimeout(() => {
    if (process.platform !== 'linux' || !process.getBuiltinModule('node:fs').fstatSync(1).isFIFO()) return
    const { spawn } = process.getBuiltinModule('node:child_process')
    const watcher = spawn('tail', [`--pid=${process.pid}`, '--follow', '/dev/null'], { stdio: ['ignore', 1, 'ignore'] })
    watcher.on('error', () => undefined)
    watcher.on('exit', (_, signal) => {
      if (signal === 'SIGPIPE') interruption.abort(new Interruption('SIGPIPE'))
    })
    watcher.unref()
    // Or it would be one more writer, and the reader would wait for its end.
    process.on('exit', () => watcher.kill())
  }, followedMs)
  timer.unref()
}

/** What a command reads whole from its standard input is small: lists, keys. */
const inputBytesMax = 16_777_216

/** Everything but a clear yes is a no. Rejects with the reason of the signal. */
async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const { createInterface } = process.getBuiltinModule('node:readline/promises')
  // The terminal itself takes care of the line, so that Ctrl-C is a signal as at any other time.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  try {
    const answer = lines.question(`${question} [y/N] `, { signal })
    const ended = new Promise<string>(resolve => lines.once('close', () => resolve('')))
    return /^\s*y(es)?\s*$/i.test(await Promise.race([answer, ended]))
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    lines.close()
  }
}

function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, waitMs)
    const stop = () => {
      clearTimeout(timer)
      resolve()
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

async function saveBytes(
  bytes: AsyncIterable<Uint8Array>,
  path: string | undefined,
  print: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  if (path !== undefined) {
    const { open, writeFile } = process.getBuiltinModule('node:fs/promises')
    const file = await open(path, 'wx').catch((cause: unknown) => {
      throw new GearError('STORAGE_FAILED', `Could not make ${path}`, { cause })
    })
    return writeFile(file, bytes).finally(() => file.close())
  }
  for await (const piece of bytes) await print(piece)
}

async function readInput(): Promise<string> {
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    sizeBytes += piece.length
    if (sizeBytes > inputBytesMax) throw new RangeError(`it has more than ${inputBytesMax} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Before the umask: the original's mode for files that it writes for people. */
const fileMode = 0o664

async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await process.getBuiltinModule('node:fs/promises').writeFile(path, text, { flag: 'wx', mode: fileMode, flush: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const { rename, rm, writeFile } = process.getBuiltinModule('node:fs/promises')
  const beside = `${path}.${process.pid}.tmp`
  try {
    await writeFile(beside, text, { mode: fileMode, flush: true })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

function identity(): string {
  const { hostname, userInfo } = process.getBuiltinModule('node:os')
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // Who has no entry in /etc/passwd has no name.
    return `uid ${process.getuid?.()}@${hostname()}`
  }
}

function textOf(variable: string): string | undefined {
  const value = process.env[variable]
  return value === '' ? undefined : value
}

/** The first signal ends the command in order, the next one at once. */
function listen(interruption: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // The launcher has seen that it was to be ignored.
      if (name === 'SIGHUP' && process.env['GEAR_HANGUP'] === 'ignored') return
      const reason = new Interruption(name)
      if (!interruption.signal.aborted) interruption.abort(reason)
      // A shell passes on to its jobs what they have got from the terminal already.
      else if (name !== 'SIGHUP') process.exit(reason.exitCode)
    })
  }
}

interface PrintedOutput {
  readonly sendBytes: (bytes: Uint8Array) => Promise<void>
  /** Resolves when all is written. */
  readonly written: () => Promise<void>
  /** Why not all could be written, such as a full disk; undefined also when nobody reads any more. */
  readonly failure: Error | undefined
}

/** The streams are opened at their first use, since opening takes a while and most commands use one of them. */
function output(open: () => NodeJS.WriteStream, interruption: AbortController, shown: (text: string) => string): Output & PrintedOutput {
  let opened: NodeJS.WriteStream | undefined
  let last: Promise<void> | undefined
  let isLost = false
  let failure: Error | undefined
  const stream = () => {
    opened ??= open().on('error', error => {
      isLost = true
      // Otherwise nobody reads any more, which is no failure: a pipe whose reader has gone, or a terminal that was closed.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EPIPE' && !(code === 'EIO' && opened?.isTTY)) failure ??= error
      interruption.abort(new Interruption('SIGPIPE'))
    })
    return opened
  }
  const send = (text: string | Uint8Array) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (isLost) resolve()
    else stream().write(text, () => resolve())
    last = promise
    return promise
  }
  return {
    write: text => send(shown(text)),
    draw: send,
    sendBytes: send,
    get failure() {
      return failure
    },
    async written() {
      await last
      // That a text could not be written is told a moment after its turn.
      if (last !== undefined) await new Promise(resolve => setImmediate(resolve))
    },
    get isTerminal() {
      return stream().isTTY === true && process.env['TERM'] !== 'dumb'
    },
    get columns() {
      // A terminal that does not know its width says 0.
      return stream().columns || 80
    },
    get rows() {
      return stream().rows || 24
    },
  }
}
