/**
 * Recorded exchanges as files: what a client sends, byte for byte, what it must get back, and what the handler must have been called with.
 *
 *     One sentence that says what is shown.
 *     >>> as the client sends it
 *     PUT /container/abcd HTTP/1.1
 *     …
 *     <<<
 *     HTTP/1.1 204 No Content
 *     …
 *     === call
 *     {"operation": "installContainer", …}
 *
 * Heads are compared line by line, in spelling and in full, but for Date, Connection and Keep-Alive, which belong to the connection.
 * `{{id}}` stands for any request id, `{{length}}` for the length of the body, `{{chunk}}` in a body for the border between two chunks,
 * `{{hex 00ff}}` for bytes, `{{repeat TEXT COUNT}}` for a long text, `{{any}}` in an answer for the rest of a line. The last line break of a section is not part of it.
 */
export interface Fixture {
  readonly title: string
  readonly exchanges: readonly Exchange[]
}

export interface Exchange {
  readonly request: Buffer
  readonly answer: { readonly head: readonly string[]; readonly body: string }
  /** What the handler was called with; undefined when none may have been called. */
  readonly call: unknown
}

export function parseFixture(text: string): Fixture {
  const [title = '', ...sections] = text.split(/^>>>.*\n/m)
  return { title: title.trim(), exchanges: sections.map(parseExchange) }
}

function parseExchange(section: string): Exchange {
  const [request = '', rest = ''] = section.split(/^<<<.*\n/m)
  const [answer = '', call] = rest.split(/^===.*\n/m)
  const [head, body] = headAndBody(withoutLastBreak(answer))
  return {
    request: requestBytes(withoutLastBreak(request)),
    answer: { head, body },
    call: call === undefined ? undefined : JSON.parse(call),
  }
}

function withoutLastBreak(text: string): string {
  return text.replace(/\n$/, '')
}

function headAndBody(text: string): readonly [head: readonly string[], body: string] {
  const end = text.indexOf('\n\n')
  return end === -1 ? [text.split('\n').filter(line => line !== ''), ''] : [text.slice(0, end).split('\n'), text.slice(end + 2)]
}

function requestBytes(text: string): Buffer {
  const [head, body] = headAndBody(text)
  const chunks = body.split('{{chunk}}').map(expand)
  const isChunked = head.some(line => /^transfer-encoding: *chunked$/i.test(line))
  const whole = Buffer.concat(isChunked ? chunked(chunks) : chunks)
  const lines = head.map(line => line.replace('{{length}}', String(whole.length)))
  return Buffer.concat([Buffer.from(`${expand(lines.join('\r\n')).toString('latin1')}\r\n\r\n`, 'latin1'), whole])
}

/** As Go's client frames a body: a chunk per write, none for nothing, and the end. */
function chunked(chunks: readonly Buffer[]): readonly Buffer[] {
  const framed = chunks
    .filter(({ length }) => length > 0)
    .flatMap(chunk => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
  return [...framed, Buffer.from('0\r\n\r\n')]
}

function expand(text: string): Buffer {
  const parts = text.split(/(\{\{(?:hex|repeat) [^}]*\}\})/)
  return Buffer.concat(parts.map(part => placeholder(part) ?? Buffer.from(part)))
}

function placeholder(part: string): Buffer | undefined {
  const hex = /^\{\{hex ([0-9a-f]+)\}\}$/.exec(part)?.[1]
  if (hex !== undefined) return Buffer.from(hex, 'hex')
  const [, piece, count] = /^\{\{repeat (\S+) (\d+)\}\}$/.exec(part) ?? []
  return piece === undefined ? undefined : Buffer.from(piece.repeat(Number(count)))
}
