/**
 * From the words of a command line to an exit code. Help and messages about wrong usage go to stderr, as the original's do.
 */
import {
  type Application,
  type ApplicationText,
  ArgumentParseError,
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  type PartialApplicationConfiguration,
  run,
  text_en,
} from '@stricli/core'
import { readCommandLine, withLastFlags, withPlainFlags } from './arguments.ts'
import type { CliContext } from './cli-context.ts'
import type { CliCommand } from './command.ts'
import { command as addKeys } from './commands/add-keys.ts'
import { command as api } from './commands/api.ts'
import { command as authKeysCommand } from './commands/auth-keys-command.ts'
import { command as build } from './commands/build.ts'
import { command as builds } from './commands/builds.ts'
import { command as completion } from './commands/completion.ts'
import { command as cp } from './commands/cp.ts'
import { command as createRepo } from './commands/create-repo.ts'
import { command as daemon } from './commands/daemon.ts'
import { command as deleteContainers } from './commands/delete.ts'
import { command as deleteRepo } from './commands/delete-repo.ts'
import { command as deploy } from './commands/deploy.ts'
import { command as deployRepo } from './commands/deploy-repo.ts'
import { command as deployment } from './commands/deployment.ts'
import { command as env } from './commands/env.ts'
import { command as exec } from './commands/exec.ts'
import { command as explain } from './commands/explain.ts'
import { command as init } from './commands/init.ts'
import { command as initRepo } from './commands/init-repo.ts'
import { command as install } from './commands/install.ts'
import { command as keys } from './commands/keys.ts'
import { command as leases } from './commands/leases.ts'
import { command as link } from './commands/link.ts'
import { command as listImages } from './commands/list-images.ts'
import { command as listRepos } from './commands/list-repos.ts'
import { command as listUnits } from './commands/list-units.ts'
import { command as log } from './commands/log.ts'
import { command as purge } from './commands/purge.ts'
import { command as repoKey } from './commands/repo-key.ts'
import { command as restart } from './commands/restart.ts'
import { command as setEnv } from './commands/set-env.ts'
import { command as shell } from './commands/shell.ts'
import { command as start } from './commands/start.ts'
import { command as status } from './commands/status.ts'
import { command as stop } from './commands/stop.ts'
import { command as top } from './commands/top.ts'
import { command as version } from './commands/version.ts'
import { completeCommandLine } from './complete.ts'
import type { Context } from './context.ts'
import { errorDocument, errorText } from './render/errors.ts'
import { overviewText } from './render/overview.ts'
import { fold } from './render/wrap.ts'
import { runSti } from './sti.ts'
import { type CommandName, commandAliases, commandNamed, foreignNames, linuxCommands, summaries, systemName } from './summaries.ts'
import { didYouMean, UsageError } from './usage-error.ts'

/**
 * The text of all is loaded at once, which costs less than one more file would, but only the one that is asked for is put together. What is heavy
 * they load themselves.
 */
const commands: Readonly<Record<CommandName, () => CliCommand>> = {
  install,
  start,
  stop,
  restart,
  status,
  log,
  'list-units': listUnits,
  top,
  'list-images': listImages,
  delete: deleteContainers,
  deploy,
  deployment,
  leases,
  env,
  'set-env': setEnv,
  exec,
  cp,
  shell,
  keys,
  'add-keys': addKeys,
  'auth-keys-command': authKeysCommand,
  'create-repo': createRepo,
  'list-repos': listRepos,
  'deploy-repo': deployRepo,
  'repo-key': repoKey,
  'delete-repo': deleteRepo,
  link,
  build,
  builds,
  purge,
  init,
  'init-repo': initRepo,
  daemon,
  api,
  explain,
  completion,
  version,
}

/** What every command says of itself, for the reference and the manual. */
export function allCommands(): ReadonlyMap<CommandName, CliCommand> {
  return new Map(Object.entries(commands).map(([name, make]) => [name as CommandName, make()]))
}

/** Runs the command that the words name. Never throws. */
export async function runCommandLine(words: readonly string[], context: Context): Promise<number> {
  try {
    if (words[0] === 'sti') return await runSti(words.slice(1), context)
    if (words[0] === '__complete') return await complete(words.slice(1), context)
    const { command, args } = readCommandLine(words)
    if (command === undefined && args.length > 0) {
      await context.err.write(`gear: there is no command, only ${args.join(' ')}\n${refusedUsage}`)
      return 1
    }
    if (command === undefined) {
      await context.err.write(overviewText(context.platform))
      return 0
    }
    const name = command === '--version' ? 'version' : commandNamed(command)
    if (name === undefined) return await refuseCommand(command, context)
    const { platform } = context
    if (platform !== 'linux' && linuxCommands.has(name) && !args.includes('--help') && !args.includes('-h')) {
      throw new UsageError(`${name} is for Linux hosts, and this is ${systemName(platform)}: run it on the host itself`)
    }
    const made = commands[name]()
    return await runCommand(made, { name, args: wordsFor(made, args), context })
  } catch (error) {
    if (wantsJson(words)) await context.out.write(errorDocument(error, ''))
    else await context.err.write(error instanceof UsageError ? `gear: ${error.message}\n` : errorText(error, ''))
    return 1
  }
}

/** What is asked about with `--help` may be less than the whole command. */
function wordsFor({ text: { wordsForHelp } }: CliCommand, args: readonly string[]): readonly string[] {
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (wordsForHelp === undefined || !flags.some(word => word === '--help' || word === '-h')) return args
  const words = wordsForHelp(flags)
  return words.length === 0 ? args : words
}

async function complete(words: readonly string[], context: Context): Promise<number> {
  const proposed = await completeCommandLine(words, context, {
    make: name => commands[name](),
    application: (name, { command }) => buildApplication(command, settingsOf(`gear ${name}`)),
  })
  await context.out.write(proposed)
  return 0
}

interface Invocation {
  readonly name: CommandName
  readonly args: readonly string[]
  readonly context: Context
}

async function runCommand(
  { command, usage, valueAliases, flags, aliases }: CliCommand,
  { name, args, context }: Invocation,
): Promise<number> {
  const { exitCode, printed } = await runStricli(
    buildApplication(command, settingsOf(`gear ${name}`)),
    withLastFlags(withPlainFlags(args, valueAliases), { flags, aliases }),
    context,
  )
  if (exitCode !== 'wrong-usage') {
    if (printed !== '') await context.err.write(fold(printed, context.err.isTerminal ? context.err.columns : undefined))
    return exitCode
  }
  // What is wrong with the flags is known before they are.
  if (wantsJson(args)) await context.out.write(errorDocument(new UsageError(printed.trim().replace(/^gear: /, '')), name))
  else await context.err.write(`${printed}Usage: ${usage}\nSee: gear ${name} --help\n`)
  return 1
}

function wantsJson(words: readonly string[]): boolean {
  const flags = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  return flags.some((word, at) => /^(--output|-o)=?json$/.test(word) || (/^(--output|-o)$/.test(word) && flags[at + 1] === 'json'))
}

const refusedUsage = 'Usage: gear COMMAND [arguments] [flags]\nSee: gear help\n'

async function refuseCommand(word: string, context: Context): Promise<number> {
  if (Object.hasOwn(foreignNames, word)) {
    await context.err.write(`gear: there is no command ${word}; did you mean ${foreignNames[word]}?\n${refusedUsage}`)
    return 1
  }
  if (word === '') {
    await context.err.write(`gear: the name of the command is empty\n${refusedUsage}`)
    return 1
  }
  // Stubs under the real names: the parser knows which of them is meant.
  const stubOf = (brief: string) =>
    buildCommand<Record<never, never>, [], CliContext>({ docs: { brief }, parameters: {}, func: () => undefined })
  const names = [...Object.keys(summaries), ...Object.keys(commandAliases)]
  const map = buildRouteMap({ routes: Object.fromEntries(names.map(name => [name, stubOf(name)])), docs: { brief: 'gear' } })
  const { printed } = await runStricli(buildApplication(map, settingsOf('gear')), [word], context)
  await context.err.write(printed + refusedUsage)
  return 1
}

interface Ran {
  readonly exitCode: number | 'wrong-usage'
  /** What the parser printed: help, or what is wrong. */
  readonly printed: string
}

function settingsOf(name: string): PartialApplicationConfiguration {
  return {
    name,
    // Insertions cost least: people leave letters out.
    scanner: {
      caseStyle: 'allow-kebab-for-camel',
      allowArgumentEscapeSequence: true,
      distanceOptions: { threshold: 4, weights: { insertion: 1, deletion: 2, substitution: 2, transposition: 0 } },
    },
    documentation: { disableAnsiColor: true },
    completion: { includeAliases: false },
    localization: { text },
  }
}

async function runStricli(app: Application<CliContext>, args: readonly string[], context: Context): Promise<Ran> {
  let printed = ''
  const stream = {
    write: (piece: string) => {
      printed += piece
    },
  }
  const stricli: CliContext = { process: { stdout: stream, stderr: stream, exitCode: null }, gear: context, exitCode: 0 }
  await run(app, args, stricli)
  const ended = Number(stricli.process.exitCode ?? 0)
  return { exitCode: ended === 0 ? stricli.exitCode : 'wrong-usage', printed }
}

const text: ApplicationText = {
  ...text_en,
  noCommandRegisteredForInput: ({ input, corrections }) => {
    const proposals = corrections.map(correction => correction.replaceAll('`', '')).join(' or ')
    return `gear: there is no command ${input}${proposals === '' ? '' : `; did you mean ${proposals}?`}`
  },
  exceptionWhileParsingArguments: error => {
    if (error instanceof ArgumentParseError) {
      const reason = error.exception instanceof Error ? error.exception.message : String(error.exception)
      return `gear: --${error.externalFlagNameOrPlaceholder}: ${reason}`
    }
    if (error instanceof ArgumentScannerError) return `gear: ${formatMessageForArgumentScannerError(error, wrongFlags)}`
    throw error
  },
}

const wrongFlags: Parameters<typeof formatMessageForArgumentScannerError>[1] = {
  FlagNotFoundError: ({ input, corrections }) => `there is no flag --${input}${alternatives(corrections.map(name => `--${name}`))}`,
  AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
  EnumValidationError: ({ externalFlagName, input, values }) =>
    `--${externalFlagName}: must be ${values.join(', ').replace(/, ([^,]+)$/, ' or $1')}, not ${JSON.stringify(input)}${didYouMean(input, values)}`,
  UnsatisfiedFlagError: ({ externalFlagName, nextFlagName }) =>
    `--${externalFlagName} needs a value${nextFlagName === undefined ? '' : `, and is followed by --${nextFlagName}`}`,
  InvalidNegatedFlagSyntaxError: ({ externalFlagName, valueText }) =>
    `--${externalFlagName} takes no value, and has ${JSON.stringify(valueText)}`,
}

function alternatives(corrections: readonly string[]): string {
  return corrections.length === 0 ? '' : `; did you mean ${corrections.join(' or ')}?`
}
