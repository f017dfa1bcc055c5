/** What a caller takes as an answer, read from `X-Accept` or `Accept` (spec §3.3). */

export interface Accepts {
  /** Takes text that comes in pieces: some media type is JSON or plain text with the parameter `stream=true`. */
  readonly isStreaming: boolean
  /** Exactly `text/plain`: lists come as tables. */
  readonly isTable: boolean
  /** Exactly `application/json`: reports that have a data form come as data. */
  readonly isData: boolean
  /** Takes text as it is: says nothing about the form, as plain curl does, or names plain text or any type among others. */
  readonly isText: boolean
  /** All types it names, in small letters, without parameters. */
  readonly mediaTypes: readonly string[]
}

/** `X-Accept` stands in for `Accept` where a client cannot set the latter; an empty one does not count. */
export function acceptsOf(headers: { readonly accept?: string | undefined; readonly xAccept?: string | undefined }): Accepts {
  const text = headers.xAccept !== undefined && headers.xAccept !== '' ? headers.xAccept : (headers.accept ?? '')
  const mediaTypes = text.split(',').flatMap(item => (item.split(';')[0] ?? '').trim().toLowerCase() || [])
  return {
    isStreaming: text.split(',').some(isStreamingType),
    isTable: text === 'text/plain',
    isData: text === 'application/json',
    isText: text === '' || mediaTypes.some(type => textTypes.has(type)),
    mediaTypes,
  }
}

/** `*` is any type, too: Java's client sends it. */
const textTypes: ReadonlySet<string> = new Set(['text/plain', 'text/*', '*/*', '*'])

function isStreamingType(mediaType: string): boolean {
  const [type, ...parameters] = mediaType.split(';').map(part => part.trim().toLowerCase())
  if (type !== 'application/json' && type !== 'text/plain') return false
  return parameters.some(parameter => /^stream\s*=\s*"?true"?$/.test(parameter))
}
