/** Reading request bodies (spec §3.2): chunked or not, possibly empty, bounded, and of the JSON only the first value. */
import type { IncomingMessage } from 'node:http'
import { GearError, inputInvalid, limits } from '../api/index.ts'
import { FormatError, parseFirstJson } from '../formats/index.ts'

const nothing = Buffer.alloc(0)

/** All bytes of the body. Reads no more than the limit; the server drops the rest. */
export function readBody(incoming: IncomingMessage, bytesMax: number = limits.bodyBytes): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  if (encoding === undefined && (length === undefined || length === '0')) return Promise.resolve(nothing)
  if (length !== undefined && Number(length) > bytesMax) return Promise.reject(tooLarge(bytesMax))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const onData = (chunk: Buffer): void => {
      sizeBytes += chunk.length
      if (sizeBytes > bytesMax) finish(() => reject(tooLarge(bytesMax)))
      else chunks.push(chunk)
    }
    const onEnd = (): void => finish(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
    const onClose = (): void => finish(() => reject(inputInvalid([{ field: '', rule: 'The body ended before it was complete' }])))
    const finish = (settle: () => void): void => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      settle()
    }
    incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

/** The JSON object in a body; nothing at all, and `null`, stand for an empty one. */
export function parseBody(bytes: Buffer): Record<string, unknown> {
  const value = parseJson(bytes) ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) throw inputInvalid([{ field: '', rule: 'The body must be a JSON object' }])
  return value as Record<string, unknown>
}

function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString()
  // Bytes that are not UTF-8 became U+FFFD: then the lengths differ, or the bytes themselves do.
  if (text.includes('\ufffd') && !bytes.equals(Buffer.from(text))) throw inputInvalid([{ field: '', rule: 'The body must be UTF-8' }])
  try {
    return parseFirstJson(text, { depthMax: limits.jsonDepth, lengthMax: limits.bodyBytes })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new GearError('INPUT_INVALID', error.message, { fields: [{ field: error.path ?? '', rule: error.message }] })
  }
}

function tooLarge(bytesMax: number): GearError {
  return new GearError('BODY_TOO_LARGE', `The request body must have at most ${bytesMax} bytes`)
}
