/**
 * Sessions: calls in which both sides talk for as long as they like. The request asks for an upgrade (`Upgrade: gear-session`) and has no body of its
 * own; after the answer 101 both sides send frames over the connection: one byte for the kind, four for the length of what follows (big-endian), and
 * that. The first frame of the caller is what other calls have as their body.
 */
import { GearError } from './errors.ts'
import { limits } from './limits.ts'

/** The word of the header Upgrade. */
export const sessionProtocol = 'gear-session'

/** What a caller sends into a session that is open. */
export type SessionInput =
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number }

/** What comes out of a session; `exit` is the last. */
export type SessionOutput =
  | { readonly kind: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly kind: 'exit'; readonly exitCode: number }

/** An open session, wherever its other end is. */
export interface Session {
  /** To be read once. Throws a GearError when the session broke. */
  readonly output: AsyncIterable<SessionOutput>
  /** Resolves when the other end takes more. After the end of the session nothing happens. */
  write(input: SessionInput): Promise<void>
  /** Ends it, and what runs at its other end. Calling it again does nothing. */
  close(): void
}

/** A frame as it is on the wire. */
export interface Frame {
  readonly kind: FrameKind
  readonly payload: Uint8Array
}

export type FrameKind = keyof typeof frameCodes

/** `begin`, `input`, `end` and `size` come from the caller, the others from the agent. `begin`, `size`, `exit` and `failed` are JSON. */
const frameCodes = { begin: 0, input: 1, end: 2, size: 3, stdout: 16, stderr: 17, exit: 18, failed: 19 } as const
const kindOfCode = new Map(Object.entries(frameCodes).map(([kind, code]) => [code as number, kind as FrameKind]))

const headBytes = 5

/** The bytes of a frame. */
export function printFrame(kind: FrameKind, payload: Uint8Array | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(frameCodes[kind])
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Puts frames together from pieces of a stream. Throws INPUT_INVALID for what is none, or is too long. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  push(piece: Uint8Array): readonly Frame[] {
    const frames: Frame[] = []
    this.#rest = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece])
    while (this.#rest.length >= headBytes) {
      const kind = kindOfCode.get(this.#rest.readUInt8())
      const length = this.#rest.readUInt32BE(1)
      if (kind === undefined || length > limits.sessionFrameBytes) {
        throw new GearError('INPUT_INVALID', `The session has a frame that is none, or of more than ${limits.sessionFrameBytes} bytes`)
      }
      if (this.#rest.length < headBytes + length) break
      const payload = this.#rest.subarray(headBytes, headBytes + length)
      this.#rest = this.#rest.subarray(headBytes + length)
      frames.push({ kind, payload })
    }
    return frames
  }
}

/** The input of a frame; undefined for frames that are none. Throws INPUT_INVALID. */
export function inputOf({ kind, payload }: Frame): SessionInput | undefined {
  if (kind === 'input') return { kind, bytes: payload }
  if (kind === 'end') return { kind }
  if (kind !== 'size') return undefined
  const { Columns: columns, Rows: rows } = jsonOf(payload)
  if (!isSize(columns) || !isSize(rows)) throw new GearError('INPUT_INVALID', 'A size must have Columns and Rows from 1 to 65535')
  return { kind, columns, rows }
}

/** The frame that says an input. */
export function printInput(input: SessionInput): Buffer {
  switch (input.kind) {
    case 'input':
      return printFrame('input', input.bytes)
    case 'end':
      return printFrame('end')
    case 'size':
      return printFrame('size', JSON.stringify({ Columns: input.columns, Rows: input.rows }))
  }
}

/** The frame that says an output. */
export function printOutput(output: SessionOutput): Buffer {
  return output.kind === 'exit' ? printFrame('exit', JSON.stringify({ ExitCode: output.exitCode })) : printFrame(output.kind, output.bytes)
}

/** The output of a frame; undefined for frames that are none. */
export function outputOf({ kind, payload }: Frame): SessionOutput | undefined {
  if (kind === 'stdout' || kind === 'stderr') return { kind, bytes: payload }
  if (kind !== 'exit') return undefined
  const { ExitCode: exitCode } = jsonOf(payload)
  return { kind, exitCode: typeof exitCode === 'number' ? exitCode : 255 }
}

/** Pieces of at most a frame. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += limits.sessionFrameBytes) yield bytes.subarray(at, at + limits.sessionFrameBytes)
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535
}

function jsonOf(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString())
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {}
  throw new GearError('INPUT_INVALID', 'The session has a frame that should be a JSON object and is none')
}
