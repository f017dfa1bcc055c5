/** Errors as the user reads them, and as programs do. */
import { asGearError, explain, GearError } from '../../api/index.ts'
import { nextStep, shownCode } from '../../client/index.ts'
import { UsageError } from '../usage-error.ts'
import { foreignText } from './foreign-text.ts'

/** `Error: node7/web-1: what was attempted: why [CODE]. What to do next.` A mistake of ours shows its stack below. */
export function errorText(error: unknown, name: string): string {
  const { code, message, next } = errorData(error)
  const subject = name === '' ? '' : `${name}: `
  const sentence = `Error: ${subject}${message.replace(/\.$/, '')}${code === undefined ? '' : ` [${code}]`}`
  const text = foreignText(next === undefined ? sentence : `${sentence}. ${next}`)
  return error instanceof GearError ? `${text}\n` : `${text}\n${error instanceof Error ? error.stack : String(error)}\n`
}

/** With `--output json`, what stops a command before it has come to any host, in the form of what hosts answer. */
export function errorDocument(error: unknown, command: string): string {
  const data = error instanceof UsageError ? usageData(error.message, command) : errorData(error)
  return `${JSON.stringify([{ ok: false, error: data }])}\n`
}

function usageData(message: string, command: string): ErrorData {
  return { code: 'COMMAND_LINE_INVALID', message, next: `See: ${command === '' ? 'gear help' : `gear ${command} --help`}.` }
}

export interface ErrorData {
  readonly code?: string
  readonly message: string
  readonly next?: string
  readonly fields?: readonly { readonly field: string; readonly rule: string }[]
}

export function errorData(error: unknown): ErrorData {
  const known = asGearError(error)
  const code = shownCode(known)
  const next = nextStep(known)
  return {
    ...(code === undefined ? {} : { code }),
    message: explain(known),
    ...(next === undefined ? {} : { next }),
    ...(known.fields.length === 0 ? {} : { fields: known.fields }),
  }
}
