/** What a command is: its flags and texts, and the function that runs it. `@stricli/core` reads the arguments and prints the help. */
import { type Aliases, buildCommand, type Command, type FlagParametersForType } from '@stricli/core'
import { deployedNames } from '../formats/index.ts'
import type { CliContext } from './cli-context.ts'
import { type Context, Interruption } from './context.ts'
import { type CommonFlags, commonAliases, commonFlags } from './flags.ts'
import { errorDocument, errorText } from './render/errors.ts'
import { type CommandName, summaries } from './summaries.ts'
import { UsageError, usage } from './usage-error.ts'

/** What completion proposes for an argument, by its place among them. */
export type NameKind =
  | 'file'
  | 'container'
  | 'environment'
  | 'host'
  | 'image'
  | 'repository'
  | 'build'
  | 'fingerprint'
  | 'command'
  | 'operation'
  /** Those that completion is for. */
  | 'program'
  /** A file, or a container with a colon. */
  | 'place'

interface Argument {
  readonly placeholder: string
  readonly brief: string
  /** The last kind is for all that follow. */
  readonly names?: readonly NameKind[]
  /** When there is only a choice. */
  readonly values?: readonly string[]
  /** When the first argument says what to do: what follows each. */
  readonly verbs?: Readonly<Record<string, readonly NameKind[]>>
}

export interface CommandText<Flags> {
  readonly name: CommandName
  /** What follows the name: `IMAGE NAME... [NAME=VALUE...] [flags]`. */
  readonly usage: string
  /** What the summary does not say. */
  readonly description: readonly string[]
  /** The arguments that are no flags: what stands for them in the help, and what they are. */
  readonly argument: Argument | undefined
  readonly examples: readonly string[]
  readonly flags: FlagParametersForType<Flags, CliContext>
  /** The instances of a deployment may be given with `--with` (spec §2.1), beside or instead of arguments. */
  readonly takesDeployment?: boolean
  readonly aliases?: Aliases<keyof Flags & string>
  /** In the manual, instead of 0 and 1: the codes that only this command has. */
  readonly exitCodes?: readonly (readonly [code: string, meaning: string])[]
  /** What completion proposes for the values of flags, where the flag itself does not say it: a choice may be given several times, with commas. */
  readonly flagNames?: Readonly<Partial<Record<keyof Flags & string, NameKind | readonly string[]>>>
  /** The words by which this command itself explains what `--help` was asked about; none for the help of the command as a whole. */
  readonly wordsForHelp?: (args: readonly string[]) => readonly string[]
  /** Answers the exit code. */
  readonly run: (context: Context, flags: Flags & CommonFlags, args: readonly string[]) => Promise<number>
}

export interface CliCommand {
  readonly command: Command<CliContext>
  readonly usage: string
  /** The short names of flags that take a value. */
  readonly valueAliases: ReadonlySet<string>
  readonly text: Pick<CommandText<object>, 'name' | 'description' | 'examples' | 'exitCodes' | 'wordsForHelp'>
  readonly argument: Argument | undefined
  /** Every flag by its name, as it is declared. */
  readonly flags: Readonly<Record<string, Flag>>
  /** Names of flags by their letters. */
  readonly aliases: Readonly<Record<string, string>>
  readonly flagNames: Readonly<Record<string, NameKind | readonly string[] | undefined>>
}

/** As much of a flag's declaration as completion and manual pages look at. */
export interface Flag {
  readonly kind: string
  readonly brief: string
  readonly placeholder?: string
  readonly hidden?: boolean
  readonly values?: readonly string[]
  readonly variadic?: boolean | string
}

export function defineCommand<Flags extends object>(text: CommandText<Flags>): CliCommand {
  const shared = text.takesDeployment ? { ...commonFlags, with: { ...commonFlags.with, hidden: false } } : commonFlags
  const flags = { ...text.flags, ...shared } as unknown as Readonly<Record<string, Flag>>
  const aliases: Readonly<Record<string, string>> = { ...commonAliases, ...text.aliases }
  const usage = `gear ${text.name}${text.usage === '' ? '' : ` ${text.usage}`}`
  const command = buildCommand<Record<string, unknown>, readonly string[], CliContext>({
    docs: { brief: summaries[text.name], fullDescription: describe(text), customUsage: [text.usage] },
    parameters: {
      flags: flags as unknown as FlagParametersForType<Record<string, unknown>, CliContext>,
      aliases,
      positional: {
        kind: 'array',
        parameter: { placeholder: text.argument?.placeholder ?? 'ARGUMENT', brief: text.argument?.brief ?? '', parse: String },
      },
    },
    async func(values, ...args) {
      this.exitCode = await runReporting(this.gear, text, values as Flags & CommonFlags, args)
    },
  })
  const valueAliases = new Set(Object.entries(aliases).flatMap(([alias, name]) => (flags[name]?.kind === 'boolean' ? [] : [alias])))
  return { command, usage, valueAliases, text, argument: text.argument, flags, aliases, flagNames: text.flagNames ?? {} }
}

/** What is wrong with the command line as a whole is told in one line; what went wrong with single hosts and ids has been told already. */
async function runReporting<Flags extends object>(
  context: Context,
  { name, run, takesDeployment }: CommandText<Flags>,
  flags: Flags & CommonFlags,
  args: readonly string[],
): Promise<number> {
  try {
    if (flags.with === undefined) return await run(context, flags, args)
    if (!takesDeployment) throw new UsageError('--with is for start, stop, restart, status and delete')
    const names = await readDeployedNames(context, flags.with)
    // What is named twice is asked for once.
    return await run(context, flags, [...args, ...names.filter(name => !args.includes(name.slice('ctr://'.length)))])
  } catch (error) {
    // Work on hosts tells of its interruption itself; here none had begun.
    if (error instanceof Interruption) {
      if (!error.isSilent) await context.err.write('\nInterrupted; nothing was changed.\n')
      return error.exitCode
    }
    const isUsage = error instanceof UsageError
    if (flags.output === 'json') await context.out.write(errorDocument(error, name))
    else await context.err.write(isUsage ? `gear ${name}: ${error.message} (see: gear ${name} --help)\n` : errorText(error, ''))
    return 1
  }
}

/** A file on this machine; `-` is the standard input. */
async function readDeployedNames(context: Context, path: string): Promise<readonly string[]> {
  if (/^[a-z]+:\/\//i.test(path)) throw new UsageError(`--with: ${path} is no file on this machine`)
  const text = await (path === '-' ? context.readInput() : context.readTextFile(path, deploymentBytesMax)).catch(cause => {
    throw new UsageError(`--with: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  })
  if (text.length > deploymentBytesMax) throw new UsageError(`--with: ${path} has more than ${deploymentBytesMax} bytes`)
  const names = usage(`--with ${path}`, () => deployedNames(text))
  if (names.length === 0) throw new UsageError(`--with ${path}: no instance is on a host`)
  return names
}

/** A planned deployment of thousands of instances; what is longer is none. */
const deploymentBytesMax = 16_777_216

/** A paragraph is one line; how long lines may be is known where they are shown. */
function describe<Flags>({ name, description, examples }: CommandText<Flags>): string {
  return [`${summaries[name]}.`, ...description, `EXAMPLES\n${examples.map(example => `  ${example}`).join('\n')}`].join('\n\n')
}
