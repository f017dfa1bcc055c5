/** `gear api`, made from the contract alone: an operation can be called from the day it is there. */
import { fieldNames, isTextAt, type Operation, type OperationName, operations, toWire, unknownKeys } from '../../api/index.ts'
import { type Client, type Request, reportedFailure, request, type TextAnswer } from '../../client/index.ts'
import { printHost, printTable } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { type HostTargets, readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { type Context, Interruption } from '../context.ts'
import { showPlans } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, repeated, text, toggle } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { aboutHost, clientsOf, runWork } from '../run.ts'
import { passInput, showOutput } from '../run-in.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

interface ApiFlags extends DryRunFlags {
  readonly list?: boolean
  readonly host?: readonly string[]
  readonly query?: readonly Assignment[]
  readonly field?: readonly Assignment[]
  readonly body?: string
  readonly to?: string
}

interface Assignment {
  readonly name: string
  readonly value: string
}

export const command = () =>
  defineCommand<ApiFlags>({
    name: 'api',
    usage: 'OPERATION [PARAMETER...] [flags]',
    description: [
      'Calls any operation of the API and prints what it answers: text as it comes, data as JSON with the names of the wire, events one a line; a session gets the standard input and ends with its exit code. The parameters are those of the path, in its order; the first may name a host: node7/web-1.',
      '--list names the operations; --list OPERATION, or OPERATION --help, explains one. A body is given whole with --body (JSON, @FILE, or - for the standard input), or field by field: --field Ports[0].Internal=8080. A value that is JSON is taken as such.',
      'Text that an operation sends while it works may end with a failure: its last line is then "Error: ...", and the exit code 1.',
    ],
    argument: {
      placeholder: 'OPERATION',
      brief: 'The name of an operation, then the parameters of its path',
      names: ['operation', 'container'],
    },
    examples: [
      'gear api --list',
      'gear api --list installContainer',
      'gear api containerStatus node7/web-1 --query lines=5',
      'gear api installContainer web-1 --field Image=acme/shop --field Ports[0].Internal=8080',
      'gear api putEnvironment shop-env --body @shop-env.json',
      'gear api listContainers --host node7 --host node8 --query all=1',
    ],
    flags: {
      list: toggle('List the operations, or explain the one that is named'),
      host: repeated('HOST', 'Where to call it: host[:port]; several for the same call on each', input => input),
      query: repeated('NAME=VALUE', 'A parameter of the query', assignment),
      field: repeated('NAME=VALUE', 'A field of the body', assignment),
      body: text('JSON', 'The body: JSON, @FILE, or - for the standard input'),
      to: text('FILE', 'Where an archive goes; standard output unless given'),
      ...dryRunFlags,
    },
    flagNames: { host: 'host' },
    // What is asked about is the operation, as far as one is named.
    wordsForHelp: args =>
      args
        .filter(word => !word.startsWith('-'))
        .flatMap(word => (isOperation(word) ? ['--list', word] : []))
        .slice(0, 2),
    run: async (context, flags, args) => {
      const [name, ...given] = args
      if (flags.list) return listOperations(context, flags, name)
      if (name === undefined) throw new UsageError('name an operation; see which there are with: gear api --list')
      const operation = operationNamed(name)
      const { hosts, params } = readParameters(operation, given, flags.host ?? [])
      requireNames('--query', flags.query ?? [], fieldNames(operation.query))
      const query = Object.fromEntries((flags.query ?? []).map(item => [item.name, item.value]))
      const body = await readBody(context, operation, flags)
      const input = { params, query, body }
      const groups = requestAll(readHosts(hosts), () => ({ request: requestFor(operation, input) }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      if (operation.reply.kind === 'session') return talk(context, flags, groups)
      if (operation.reply.kind === 'bytes') requireBytesPlace(context, flags, groups.length)
      const isChange = operation.effect !== 'read'
      return runWork(context, flags, {
        groups,
        isLive: operation.lane === 'stream',
        ...(isChange
          ? {
              change: (_: unknown, host: string) => ({
                what: `The call of ${operation.id}`,
                look: aboutHost('gear list-units --all', host),
              }),
            }
          : {}),
        run: ({ task, client, signal, say }) =>
          callAndSay(client, task.request, {
            signal,
            say,
            isJson: flags.output === 'json',
            save: bytes => context.saveBytes(bytes, flags.to),
          }),
      })
    },
  })

function isOperation(word: string): boolean {
  return Object.keys(operations).some(name => name.toLowerCase() === word.toLowerCase())
}

function operationNamed(word: string): Operation {
  const name = Object.hasOwn(operations, word) ? word : Object.keys(operations).find(other => other.toLowerCase() === word.toLowerCase())
  const operation = name === undefined ? undefined : operations[name]
  if (operation !== undefined) return operation
  throw new UsageError(`there is no operation ${word}${didYouMean(word, Object.keys(operations))} (all: gear api --list)`)
}

/** The names in a path, in its order. */
function parameterNames({ path }: Operation): readonly string[] {
  return [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name = '']) => name)
}

function readParameters(operation: Operation, given: readonly string[], hosts: readonly string[]) {
  const names = parameterNames(operation)
  if (given.length !== names.length) {
    throw new UsageError(
      `${operation.id} takes ${names.length === 0 ? 'no parameters' : names.join(' ').toUpperCase()}, not ${given.length} ${given.length === 1 ? 'word' : 'words'}`,
    )
  }
  const [first = '', ...others] = given
  const slash = first.indexOf('/')
  const host = slash < 0 ? '' : first.slice(0, slash)
  if (host !== '' && hosts.length > 0) throw new UsageError(`the host is named twice: ${host}, and with --host`)
  const values = given.length === 0 ? [] : [first.slice(slash + 1), ...others]
  return { hosts: host === '' ? hosts : [host], params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) }
}

interface ApiInput {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Checked by the operation's own schemas, as any request; which operation it is, the compiler does not know here. */
function requestFor({ id, reply }: Operation, input: ApiInput): Request {
  const make = request as (name: OperationName, input: ApiInput, wants: 'text' | 'data') => Request
  const hasBoth = reply.kind === 'text' && reply.data !== undefined
  return make(id as OperationName, input, hasBoth ? 'data' : 'text')
}

async function readBody(context: Context, operation: Operation, { body, field = [] }: ApiFlags): Promise<unknown> {
  if (body === undefined && field.length === 0) return {}
  if (operation.body === undefined) throw new UsageError(`${operation.id} takes no body`)
  requireNames('--field', field, fieldNames(operation.body))
  const whole = body === undefined ? {} : parseJson(await bodyText(context, body))
  for (const { name, value } of field) {
    const path = pathOf(name)
    const given = fieldValue(operation.body, path, value)
    requireKnown(operation.body, path)
    setField(whole, path, given)
  }
  return whole
}

/** The names within what is named first. */
function requireKnown(body: NonNullable<Operation['body']>, path: readonly (string | number)[]): void {
  const alone: Record<string, unknown> = {}
  setField(alone, path, '')
  const [unknown] = unknownKeys(body, alone)
  if (unknown === undefined) return
  const hint = didYouMean(unknown.key, unknown.known)
  throw new UsageError(`--field ${unknown.path}: there is no such field${hint} (see: gear api --list OPERATION)`)
}

/** An agent passes over names that it does not know; somebody who types them has made a mistake. */
function requireNames(flag: string, given: readonly Assignment[], known: readonly string[]): void {
  for (const { name } of given) {
    const [first = ''] = name.split(/[.[]/)
    if (known.some(other => other.toLowerCase() === first.toLowerCase())) continue
    throw new UsageError(`${flag} ${first}: there is no such name${didYouMean(first, known)}`)
  }
}

/** More than any operation takes; a device never ends. */
const bodyBytesMax = 16_777_216

async function bodyText(context: Context, body: string): Promise<string> {
  if (body === '-') return context.readInput()
  if (!body.startsWith('@')) return body
  const path = body.slice(1)
  const text = await context.readTextFile(path, bodyBytesMax).catch(cause => {
    throw new UsageError(`--body: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  })
  if (text.length > bodyBytesMax) throw new UsageError(`--body: ${path} has more than ${bodyBytesMax} bytes`)
  return text
}

function parseJson(input: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(input)
  } catch (error) {
    throw new UsageError(`--body: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError('--body: must be a JSON object')
  return value as Record<string, unknown>
}

function assignment(input: string): Assignment {
  const equals = input.indexOf('=')
  if (equals < 1) throw new RangeError('must be NAME=VALUE')
  return { name: input.slice(0, equals), value: input.slice(equals + 1) }
}

const fieldDepthMax = 8

/** `Ports[0].Internal` as its parts. */
function pathOf(name: string): readonly (string | number)[] {
  const path = [...name.matchAll(/([A-Za-z]\w*)|(\d+)(?=\])/g)].map(([, word, index]) => word ?? Number(index))
  if (!/^[A-Za-z]\w*(?:\[\d{1,3}\]|\.[A-Za-z]\w*)*$/.test(name) || path.length > fieldDepthMax) {
    throw new UsageError(`--field ${name}: a field is named such as Image or Ports[0].Internal`)
  }
  return path
}

function setField(whole: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  let inner = whole as Record<string | number, unknown>
  for (const [index, part] of path.slice(0, -1).entries()) {
    const present = Object.hasOwn(inner, part) ? inner[part] : undefined
    const next = typeof present === 'object' && present !== null ? present : typeof path[index + 1] === 'number' ? [] : {}
    Object.defineProperty(inner, part, { value: next, enumerable: true, writable: true, configurable: true })
    inner = next as Record<string | number, unknown>
  }
  Object.defineProperty(inner, path.at(-1) ?? '', { value, enumerable: true, writable: true, configurable: true })
}

/** What is JSON is taken as such: 8080, true, {"a": 1}; every other text is itself, and so is a number where a text is wanted. */
function fieldValue(body: NonNullable<Operation['body']>, path: readonly (string | number)[], text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  return typeof value !== 'string' && isTextAt(body, path) ? text : value
}

function requireBytesPlace(context: Context, { to, output }: ApiFlags & { readonly output?: string }, hosts: number): void {
  if (hosts > 1) throw new UsageError('the archives of several hosts would be mixed: call one at a time')
  if (to === undefined && (output === 'json' || context.out.isTerminal))
    throw new UsageError('the answer is no text: give a file with --to, or use a pipe')
}

/** A session: the standard input goes in, what is said comes out, and the exit code is its. */
async function talk(
  context: Context,
  flags: ApiFlags & CommonFlags,
  groups: readonly HostTargets<{ readonly request: Request }>[],
): Promise<number> {
  if (flags.output === 'json') throw new UsageError('--output json is not for a session, which passes on what another says')
  const task = groups[0]?.targets[0]
  if (groups.length !== 1 || task === undefined) throw new UsageError('a session is with one host')
  const clients = clientsOf(context, flags, groups)
  try {
    const client = clients.of(printHost((groups[0] as HostTargets<unknown>).host))
    const session = await client.open(task.request as Parameters<Client['open']>[0], { signal: context.signal })
    void passInput(context, session)
    return await showOutput(context, session)
  } catch (error) {
    const why = context.signal.aborted ? context.signal.reason : error
    if (why instanceof Interruption) return why.exitCode
    throw why
  } finally {
    await clients.close()
  }
}

interface Saying {
  readonly signal: AbortSignal
  readonly say: (text: string) => Promise<void>
  readonly isJson: boolean
  readonly save: (bytes: AsyncIterable<Uint8Array>) => Promise<void>
}

async function callAndSay(client: Client, call: Request, { signal, say, isJson, save }: Saying): Promise<object> {
  const { reply } = call.operation
  const answer: unknown = await client.call(call, { signal })
  if (reply.kind === 'data' || call.wants === 'data') {
    const data = reply.kind === 'data' && reply.schema._zod.def.type === 'unknown' ? answer : toWire(answer)
    if (isJson) return { data }
    await say(`${JSON.stringify(data, undefined, 2)}\n`)
    return {}
  }
  if (reply.kind === 'events') {
    const events: unknown[] = []
    for await (const event of answer as AsyncIterable<unknown>) {
      if (isJson) events.push(toWire(event))
      else await say(`${JSON.stringify(toWire(event))}\n`)
    }
    return isJson ? { events } : {}
  }
  if (reply.kind === 'bytes') {
    await save(answer as AsyncIterable<Uint8Array>)
    return {}
  }
  const text = answer as TextAnswer
  await sayAnswer(call.operation.effect === 'read' ? text : { ...text, text: withFailure(text.text, call.operation) }, say)
  return {}
}

const failureMark = 'Error: '

/**
 * The text of work may have begun long before the work fails, when it is too late for a status: then its last line says so. Only a line that may be
 * this one is kept back until there is another.
 */
async function* withFailure(text: AsyncIterable<string>, operation: Operation): AsyncGenerator<string> {
  let kept = ''
  let isWithinLine = false
  for await (const piece of text) {
    const all = kept + piece
    const at = all.lastIndexOf('\n', all.length - 2) + 1
    const line = all.slice(at)
    const mayFail: boolean = (at > 0 || !isWithinLine) && (line.startsWith(failureMark) || failureMark.startsWith(line))
    kept = mayFail ? line : ''
    const shown: string = mayFail ? all.slice(0, at) : all
    if (shown === '') continue
    isWithinLine = !shown.endsWith('\n')
    yield shown
  }
  if (!kept.startsWith(failureMark)) yield kept
  else {
    const message = kept.slice(failureMark.length).trimEnd()
    throw reportedFailure({ message }, operation)
  }
}

async function listOperations(context: Context, { output }: CommonFlags, name: string | undefined): Promise<number> {
  if (output === 'json') {
    const listed = name === undefined ? Object.values(operations) : [operationNamed(name)]
    const rows = listed.map(({ id, method, path, summary, errors, effect, hasDryRun = false }) => ({
      id,
      method,
      path,
      summary,
      effect,
      hasDryRun,
      errors,
    }))
    await context.out.write(`${JSON.stringify(rows)}\n`)
    return 0
  }
  if (name !== undefined) {
    const { operationText } = await import('../render/operation.ts')
    await context.out.write(operationText(operationNamed(name)))
    return 0
  }
  const rows = Object.values(operations).map(({ id, method, path, summary }) => [id, method, path, summary])
  await context.out.write(printTable(['OPERATION', 'METHOD', 'PATH', 'SUMMARY'], rows))
  return 0
}
