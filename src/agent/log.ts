/**
 * The agent's log: one line per event, a fixed short message and fields, `msg="unit started" id=web-1 ms=41 request=…`, with the priority
 * that journald reads at the beginning of a line; or JSON. Bodies of requests and values of environments are never in it.
 */
import { pino } from 'pino'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LogOptions {
  readonly format: 'text' | 'json'
  readonly level: LogLevel
  /** Standard error is the journal, which takes `<6>` at the beginning of a line as its priority. */
  readonly isJournal: boolean
  readonly write: (line: string) => void
}

/** A mistake of gear's own: its stack is nowhere but here. */
export function logMistake(log: Log, fields: object, error: unknown): void {
  log.error({ ...fields, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'mistake in gear')
}

/** The path of a request as it is logged: longer ones are no paths of the API. */
export function loggedPath(path: string): string {
  return path.slice(0, 100)
}

/** Fields that could hold a secret, should one ever be given to the log: they are blacked out one and two levels deep. */
const secretFields = ['body', 'environment', 'variables', 'value', 'values', 'token', 'authorization', 'headers']

/** syslog's numbers (sd-daemon(3)) for pino's. */
const priorities: ReadonlyMap<number, number> = new Map([
  [20, 7],
  [30, 6],
  [40, 4],
  [50, 3],
  [60, 2],
])

export function openLog({ format, level, isJournal, write }: LogOptions): Log {
  const paths = secretFields.flatMap(name => [name, `*.${name}`, `*.*.${name}`, ...[`["${capital(name)}"]`, `*["${capital(name)}"]`]])
  return pino(
    {
      level,
      base: null,
      timestamp: format === 'json' ? () => `,"time":"${new Date().toISOString()}"` : false,
      redact: { paths, censor: '[redacted]' },
    },
    { write: (line: string) => write(writtenLine(line, format, isJournal)) },
  )
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function writtenLine(line: string, format: 'text' | 'json', isJournal: boolean): string {
  if (format === 'json' && !isJournal) return line
  const { level, msg, ...fields }: Record<string, unknown> = JSON.parse(line)
  const prefix = isJournal ? `<${priorities.get(Number(level)) ?? 6}>` : ''
  if (format === 'json') return prefix + line
  const words = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
  return `${[`${prefix}msg=${quotedAlways(msg)}`, ...words].join(' ')}\n`
}

/** Bare where that is unambiguous, else as JSON, which keeps everything on one line. */
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@%+,~-]+$/.test(value)) return value
  return quotedAlways(value)
}

/** Control characters beyond those that JSON escapes would reach terminals. */
function quotedAlways(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
