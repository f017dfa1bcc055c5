/**
 * What may follow on a command line, for the completion of shells: `gear __complete WORD... PARTIAL` prints one proposal a line, a tab and a few words
 * about it after it. `:files` and `:folders` stand for paths, which the shell knows better. Live names are asked for, but never waited for long, and
 * whatever goes wrong is no proposal.
 */
import { type Application, type InputCompletion, proposeCompletions } from '@stricli/core'
import { readCommandLine, withPlainFlags } from './arguments.ts'
import type { CliContext } from './cli-context.ts'
import type { CliCommand, Flag, NameKind } from './command.ts'
import { completedPrograms } from './completion-scripts.ts'
import type { Context } from './context.ts'
import { hostNames, liveNames, type Proposal } from './names.ts'
import { foreignText } from './render/foreign-text.ts'
import { type CommandName, commandAliases, commandNamed, summaries } from './summaries.ts'

export interface Commands {
  readonly make: (name: CommandName) => CliCommand
  readonly application: (name: CommandName, command: CliCommand) => Application<CliContext>
}

/** The proposals as the shells read them. Never throws. */
export async function completeCommandLine(words: readonly string[], context: Context, commands: Commands): Promise<string> {
  return printProposals(await proposals(words.slice(0, -1), words.at(-1) ?? '', context, commands).catch(() => []))
}

/** One a line. A tab or a line break in a name of others would be read as something else. */
export function printProposals(found: readonly Proposal[]): string {
  return found
    .map(({ value, brief }) => `${foreignText(value).replaceAll(/\s/g, '?')}\t${foreignText(brief).replaceAll(/\s+/g, ' ')}\n`)
    .join('')
}

async function proposals(before: readonly string[], partial: string, context: Context, commands: Commands): Promise<readonly Proposal[]> {
  const { command: word, args } = readCommandLine(before)
  if (word === undefined || before[0] === 'help') return beginning(commandNames(), partial)
  const name = commandNamed(word)
  if (name === undefined) return []
  const command = commands.make(name)
  const [, assigned, value = ''] = /^(--?[A-Za-z][\w-]*)=(.*)$/s.exec(partial) ?? []
  if (assigned !== undefined) {
    const proposed = await afterWords(command, name, [...args, assigned], value, context, commands)
    return proposed.map(proposal => (proposal.value.startsWith(':') ? proposal : { ...proposal, value: `${assigned}=${proposal.value}` }))
  }
  return afterWords(command, name, args, partial, context, commands)
}

function commandNames(): readonly Proposal[] {
  return [
    ...Object.entries(summaries).map(([value, brief]) => ({ value, brief })),
    ...Object.entries(commandAliases).map(([value, name]) => ({ value, brief: `The same as ${name}` })),
    { value: 'help', brief: 'Explain a command' },
  ]
}

async function afterWords(
  command: CliCommand,
  name: CommandName,
  args: readonly string[],
  partial: string,
  context: Context,
  commands: Commands,
): Promise<readonly Proposal[]> {
  const isEscaped = args.includes('--')
  const flagName = isEscaped ? undefined : waitingFlag(command, args.at(-1))
  const flag = flagName === undefined ? undefined : command.flags[flagName]
  const names = command.flagNames[flagName ?? '']
  if (typeof names === 'string') return namesOf(names, args, partial, context)
  if (names !== undefined) return listed(names, partial)
  const path = pathOf(flag)
  if (path !== undefined) return [{ value: path, brief: '' }]
  if (flag !== undefined || (partial.startsWith('-') && !isEscaped)) {
    const stricli = { process: { stdout: nowhere, stderr: nowhere, exitCode: null }, gear: context, exitCode: 0 }
    const inputs = [...withPlainFlags(args, command.valueAliases), partial]
    const found = await proposeCompletions(commands.application(name, command), inputs, stricli)
    return found.filter(item => !isHidden(command, item)).map(({ completion, brief }) => ({ value: completion, brief }))
  }
  return argumentProposals(command, args, partial, context)
}

const nowhere = { write: () => undefined }

/** The name of the flag that the next word is the value of. */
function waitingFlag({ flags, aliases }: CliCommand, last = ''): string | undefined {
  const [, long, letter = ''] = /^(?:--([A-Za-z][\w-]*)|-([A-Za-z]))$/.exec(last) ?? []
  const name = long === undefined ? aliases[letter] : long.replaceAll(/-([a-z])/g, (_, first: string) => first.toUpperCase())
  const flag = name === undefined ? undefined : flags[name]
  return flag === undefined || flag.kind === 'boolean' ? undefined : name
}

/** After a comma the next of them. */
function listed(values: readonly string[], partial: string): readonly Proposal[] {
  const before = partial.slice(0, partial.lastIndexOf(',') + 1)
  return beginning(
    values.map(value => ({ value: `${before}${value}`, brief: '' })),
    partial,
  )
}

function pathOf(flag: Flag | undefined): ':files' | ':folders' | undefined {
  if (flag?.placeholder === 'FILE' || flag?.placeholder === 'PATH') return ':files'
  return flag?.placeholder === 'FOLDER' ? ':folders' : undefined
}

/** The parser knows no flags that are to be kept quiet about. `--` is for those who know it. */
function isHidden({ flags, aliases }: CliCommand, { kind, completion }: InputCompletion): boolean {
  if (kind !== 'argument:flag') return false
  if (completion === '--') return true
  const name = completion.startsWith('--')
    ? completion.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : (aliases[completion.slice(-1)] ?? '')
  return flags[name]?.hidden === true
}

async function argumentProposals(
  command: CliCommand,
  args: readonly string[],
  partial: string,
  context: Context,
): Promise<readonly Proposal[]> {
  const { argument } = command
  if (argument?.values !== undefined)
    return beginning(
      argument.values.map(value => ({ value, brief: '' })),
      partial,
    )
  const given = positionals(command, args)
  const { verbs } = argument ?? {}
  const [verb, ...rest] = given
  if (verbs !== undefined && verb === undefined) return listed(Object.keys(verbs), partial)
  const kinds = verbs === undefined ? argument?.names : verbs[verb ?? '']
  const place = verbs === undefined ? given.length : rest.length
  const kind = kinds?.[place] ?? kinds?.at(-1)
  if (kind === undefined) return []
  const found = await namesOf(kind, args, partial, context)
  return found.filter(({ value }) => value.startsWith(':') || !given.includes(value))
}

async function namesOf(kind: NameKind, args: readonly string[], partial: string, context: Context): Promise<readonly Proposal[]> {
  if (kind === 'file') return files
  if (kind === 'command') return beginning(commandNames(), partial)
  if (kind === 'program') return listed(completedPrograms, partial)
  const tokenFile = flagValue(args, '--token-file') ?? context.tokenFile
  if (kind !== 'place') return beginning(await liveNames(kind, { partial, context, tokenFile }), partial)
  if (partial.includes(':')) return []
  const [first = ''] = partial.split('/')
  const isHost = partial.includes('/') && (await hostNames(context)).some(({ value }) => value === first)
  if (/^[./~]/.test(partial) || (partial.includes('/') && !isHost)) return files
  const containers = beginning(await liveNames('container', { partial, context, tokenFile }), partial)
  return containers.length === 0
    ? files
    : containers.map(({ value, brief }) => ({ value: value.endsWith('/') ? value : `${value}:`, brief }))
}

const files: readonly Proposal[] = [{ value: ':files', brief: '' }]

/** The words that are no flags and no values of flags. */
function positionals(command: CliCommand, args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  const flagged = end < 0 ? args : args.slice(0, end)
  const free = flagged.filter((word, index) => !word.startsWith('-') && waitingFlag(command, flagged[index - 1]) === undefined)
  return [...free, ...args.slice(flagged.length + 1)]
}

function flagValue(args: readonly string[], flag: string): string | undefined {
  const at = args.findIndex(word => word === flag || word.startsWith(`${flag}=`))
  return args[at] === flag ? args[at + 1] : args[at]?.slice(flag.length + 1)
}

function beginning(all: readonly Proposal[], partial: string): readonly Proposal[] {
  return all.filter(({ value }) => value.startsWith(partial))
}
