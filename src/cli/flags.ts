/** How flags are declared, and the flags that every command has. Values are parsed with the formats that the API itself uses. */
import type { FlagParametersForType } from '@stricli/core'
import type { CliContext } from './cli-context.ts'

type FlagFor<Value> = FlagParametersForType<{ readonly flag?: Value }, CliContext>['flag']

export function toggle(brief: string) {
  return { kind: 'boolean', brief, optional: true, withNegated: false } as const
}

export function text(placeholder: string, brief: string) {
  return parsed(placeholder, brief, input => input)
}

export function parsed<Value>(placeholder: string, brief: string, parse: (input: string) => Value) {
  return { kind: 'parsed', brief, placeholder, optional: true, parse } as const
}

/** Is passed on as it was written, once the parser has taken it. */
export function checked(placeholder: string, brief: string, parse: (input: string) => unknown) {
  return parsed(placeholder, brief, input => {
    parse(input)
    return input
  })
}

/** May be given several times; the values of all are put together. */
export function repeated<Value>(placeholder: string, brief: string, parse: (input: string) => Value) {
  return { kind: 'parsed', brief, placeholder, optional: true, variadic: true, parse } as const
}

export function choice<const Value extends string>(values: readonly Value[], brief: string) {
  return { kind: 'enum', brief, values, optional: true } as const
}

export function wholeNumber(max: number): (input: string) => number {
  return input => {
    if (!/^\d{1,9}$/.test(input) || Number(input) > max) throw new RangeError(`must be a whole number from 0 to ${max}`)
    return Number(input)
  }
}

/** Of every command that changes something: `if (flags.dryRun) return showPlans(context, flags, groups)` before the work. */
export interface DryRunFlags {
  readonly dryRun?: boolean
}

export const dryRunFlags = { dryRun: toggle('Print what would be done on each host, and why, and do nothing') }

export interface CommonFlags {
  readonly output?: 'text' | 'json'
  readonly tokenFile?: string
  readonly transport?: 'http'
  readonly hasEnvFile?: boolean
  readonly hasForeground?: boolean
  readonly insecure?: boolean
  readonly with?: string
}

/** The hidden ones are the original's; they are taken so that its command lines work. */
export const commonFlags: FlagParametersForType<CommonFlags, CliContext> = {
  output: choice(['text', 'json'], 'Text for people, or one JSON document with the outcome of every host and id'),
  tokenFile: text('FILE', 'File with the bearer token of the agents, or a line HOST TOKEN for each (also GEAR_TOKENS)'),
  transport: hidden(choice(['http'], 'How agents are reached')),
  hasEnvFile: hidden(toggle('No effect: the engine always gets the environment as a file')),
  hasForeground: hidden(toggle('No effect: there is one form of unit')),
  insecure: hidden(toggle('Take any certificate of the server that a deployment comes from; nothing else uses TLS')),
  with: hidden(text('FILE', 'Add the instances of a deployment file that are on a host to the arguments')),
}

export const commonAliases = { o: 'output', k: 'insecure' } as const

/** Taken, but not told of. */
export function hidden<Flag extends FlagFor<never> | object>(flag: Flag): Flag & { readonly hidden: true } {
  return { ...flag, hidden: true }
}
