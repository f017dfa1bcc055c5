/** From what came over the wire to an answer or an error, by the rules of spec §3.3 and §3.4: those of ours, and those an original keeps to. */
import { type ErrorCode, type FieldError, fromWire, GearError, limits, type Operation, type Schema } from '../api/index.ts'
import { oneLine } from '../lib/index.ts'
import { type AnyAnswer, sideDataNames, type TextAnswer } from './client.ts'
import { RemoteError } from './remote-error.ts'
import type { Request, Wants } from './request.ts'
import type { Credentials } from './token.ts'
import type { WireReply } from './transport.ts'

/** Largest JSON answer that is read: a list of 100,000 containers has about 12 MB. */
const replyBytesMax = 67_108_864
/** Most of an error's text that is read. */
const errorBytesMax = 65_536
/** Longest line of an event stream: a log line, with every character escaped, and the fields around it. */
const eventCharactersMax = limits.logLineBytes * 6 + 4096

/** Who answers, for messages. */
export interface Speaker {
  readonly place: string
  readonly credentials?: Credentials | undefined
}

export async function readReply(reply: WireReply, request: Request, speaker: Speaker): Promise<AnyAnswer> {
  const { operation, wants } = request
  const type = headerText(reply, 'content-type')
  if (operation.reply.kind === 'bytes' && (reply.status === 200 || reply.status === 202)) {
    return { kind: 'bytes', bytes: bytesOf(reply, speaker) }
  }
  switch (reply.status) {
    case 202:
      if (type === 'application/json') throw unexpected(reply, speaker, 'text was announced as JSON')
      return textOrEvents(reply, request, speaker)
    case 204:
      await readText(reply, 0, speaker)
      if (expectsData(operation, wants)) throw new GearError('REPLY_UNEXPECTED', `The agent of ${speaker.place} sent no data`)
      return { kind: 'text', answer: { hasText: false, text: nothing(), sideData: sideDataOf(reply) } }
    case 200:
      if (operation.reply.kind === 'events' || (!expectsData(operation, wants) && mediaType(type) === 'text/plain')) {
        return textOrEvents(reply, request, speaker)
      }
      if (!expectsData(operation, wants) || mediaType(type) !== 'application/json') {
        throw unexpected(reply, speaker, `status 200 with content of type ${type === '' ? 'unknown' : type}`)
      }
      return { kind: 'data', data: await readData(reply, schemaOf(operation), speaker) }
    default:
      throw await readFailure(reply, operation, speaker)
  }
}

function expectsData(operation: Operation, wants: Wants): boolean {
  return operation.reply.kind === 'data' || (operation.reply.kind === 'text' && wants === 'data')
}

function schemaOf({ reply }: Operation): Schema<unknown> | undefined {
  return reply.kind === 'data' || reply.kind === 'events' ? reply.schema : reply.kind === 'text' ? reply.data : undefined
}

function textOrEvents(reply: WireReply, { operation, wants }: Request, speaker: Speaker): AnyAnswer {
  if (expectsData(operation, wants)) throw unexpected(reply, speaker, 'text instead of data')
  if (operation.reply.kind === 'events') return { kind: 'events', events: eventsOf(reply, operation.reply.schema, speaker) }
  const answer: TextAnswer = { hasText: true, text: textOf(reply, speaker), sideData: sideDataOf(reply) }
  return { kind: 'text', answer }
}

function sideDataOf(reply: WireReply): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of sideDataNames) {
    const value = headerText(reply, `x-${name.toLowerCase()}`)
    if (value !== '') found[name] = value
  }
  return found
}

async function* nothing(): AsyncGenerator<string> {}

async function* bytesOf(reply: WireReply, speaker: Speaker): AsyncGenerator<Uint8Array> {
  try {
    yield* reply.body
  } catch (cause) {
    throw brokenOff(cause, speaker)
  }
}

async function* textOf(reply: WireReply, speaker: Speaker): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  try {
    for await (const piece of reply.body) {
      const text = decoder.decode(piece, { stream: true })
      if (text !== '') yield text
    }
  } catch (cause) {
    throw brokenOff(cause, speaker)
  }
  const rest = decoder.decode()
  if (rest !== '') yield rest
}

async function* eventsOf(reply: WireReply, schema: Schema<unknown>, speaker: Speaker): AsyncGenerator<unknown> {
  let rest = ''
  for await (const text of textOf(reply, speaker)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > eventCharactersMax)
      throw new GearError('REPLY_UNEXPECTED', `The agent of ${speaker.place} sent an event that is too long`)
    for (const line of lines) if (line.trim() !== '') yield checkedValue(line, schema, speaker)
  }
  if (rest.trim() !== '') throw new GearError('REPLY_UNEXPECTED', `The agent of ${speaker.place} broke off in the middle of an event`)
}

async function readData(reply: WireReply, schema: Schema<unknown> | undefined, speaker: Speaker): Promise<unknown> {
  const { text, isWhole } = await readText(reply, replyBytesMax, speaker)
  if (!isWhole) throw new GearError('REPLY_UNEXPECTED', `The answer of ${speaker.place} has more than ${replyBytesMax} bytes`)
  return checkedValue(text, schema, speaker)
}

function checkedValue(text: string, schema: Schema<unknown> | undefined, speaker: Speaker): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GearError('REPLY_UNEXPECTED', `The answer of ${speaker.place} is not JSON`, { cause })
  }
  if (schema === undefined) return value
  try {
    return fromWire(schema, value)
  } catch (cause) {
    throw new GearError('REPLY_UNEXPECTED', `The answer of ${speaker.place} breaks the rules of the API`, { cause })
  }
}

async function readFailure(reply: WireReply, operation: Operation, speaker: Speaker): Promise<GearError> {
  if (reply.status < 400) return unexpected(reply, speaker, `status ${reply.status}`)
  const { text } = await readText(reply, errorBytesMax, speaker)
  const said = mediaType(headerText(reply, 'content-type')) === 'application/json' ? saidInJson(text) : undefined
  const message = said?.message ?? text.trim()
  return new RemoteError(
    {
      status: reply.status,
      message:
        (reply.status === 401 ? tokenRefused(oneLine(message), speaker) : oneLine(message)) ||
        (reply.status === 417 ? `The agent of ${speaker.place} knows no dry runs` : '') ||
        `The agent of ${speaker.place} answered with status ${reply.status} and no message`,
      code: said?.code ?? (headerText(reply, 'x-error-code') || (said?.isOfRouter ? routerCodes.get(reply.status) : undefined)),
      next: said?.next,
      fields: said?.fields ?? [],
      data: said?.data,
    },
    operation,
  )
}

/** What the agent said, with the file to look into. */
function tokenRefused(message: string, { place, credentials }: Speaker): string {
  if (credentials === undefined) return message
  const { token, source } = credentials
  return `${message} (${token === undefined ? `${source} has none for ${place}` : `that for ${place} in ${source}`})`
}

/** What an original says of a path that it does not have: nothing of the operation, whatever errors that has with this status. */
const routerCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [404, 'ROUTE_UNKNOWN'],
  [405, 'METHOD_NOT_ALLOWED'],
])

interface Said {
  readonly message: string | undefined
  readonly isOfRouter: boolean
  readonly code: string | undefined
  readonly next: string | undefined
  readonly fields: readonly FieldError[]
  readonly data: unknown
}

/** `Message` of a failed job, or `Error` of the router (spec §3.4). What has another shape counts as text. */
function saidInJson(text: string): Said | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const body = value as Readonly<Record<string, unknown>>
  const ofJob = textIn(body, 'Message')
  const ofRouter = textIn(body, 'Error')
  return {
    message: ofJob ?? ofRouter,
    isOfRouter: ofJob === undefined && ofRouter !== undefined,
    code: textIn(body, 'Code'),
    next: textIn(body, 'Next'),
    fields: Array.isArray(body['Fields']) ? body['Fields'].flatMap(fieldIn) : [],
    data: body['Data'],
  }
}

function fieldIn(value: unknown): readonly FieldError[] {
  if (typeof value !== 'object' || value === null) return []
  const entry = value as Readonly<Record<string, unknown>>
  const field = textIn(entry, 'Field')
  const rule = textIn(entry, 'Rule')
  return field === undefined || rule === undefined ? [] : [{ field, rule }]
}

function textIn(values: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' && value !== '' ? oneLine(value) : undefined
}

async function readText(
  reply: WireReply,
  bytesMax: number,
  speaker: Speaker,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  try {
    for await (const piece of reply.body) {
      pieces.push(piece)
      sizeBytes += piece.length
      if (sizeBytes > bytesMax) break
    }
  } catch (cause) {
    throw brokenOff(cause, speaker)
  }
  return { text: Buffer.concat(pieces).subarray(0, bytesMax).toString('utf8'), isWhole: sizeBytes <= bytesMax }
}

function unexpected(reply: WireReply, speaker: Speaker, what: string): GearError {
  reply.discard()
  return new GearError('REPLY_UNEXPECTED', `The answer of ${speaker.place} is not that of a gear agent: ${what}`)
}

function brokenOff(cause: unknown, speaker: Speaker): unknown {
  if (!(cause instanceof Error) || cause.name !== 'ConnectionError') return cause
  return new GearError('HOST_UNREACHABLE', `The agent of ${speaker.place} stopped answering`, { cause })
}

/** Without parameters, in lower case. */
function mediaType(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase()
}

function headerText(reply: WireReply, name: string): string {
  return reply.headers[name] ?? ''
}
