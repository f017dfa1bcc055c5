/** The words of a command line, before and after the parser: spellings of flags it does not take, and what the arguments mean. */
import {
  type EnvironmentVariable,
  groupByHost,
  type LocatorHost,
  parseHost,
  parseLocator,
  parseVariable,
  printHost,
} from '../formats/index.ts'
import { UsageError, usage } from './usage-error.ts'

/**
 * Flags in the spellings that the parser takes: `-p8080:0` as `-p=8080:0`, and flags with an empty or many-line value in two words. Names that every
 * object has are refused here, since the parser would take them for flags that it knows.
 */
export function withPlainFlags(args: readonly string[], valueAliases: ReadonlySet<string>): readonly string[] {
  const end = args.indexOf('--')
  const flags = end < 0 ? args : args.slice(0, end)
  return [...flags.flatMap(arg => plainFlag(arg, valueAliases)), ...args.slice(flags.length)]
}

function plainFlag(arg: string, valueAliases: ReadonlySet<string>): readonly string[] {
  const [, name] = /^--([A-Za-z][\w.-]*)/.exec(arg) ?? []
  if (name !== undefined && name in Object.prototype) throw new UsageError(`there is no flag --${name}`)
  const [, alias = '', attached] = /^-([A-Za-z])([^=][\s\S]*)$/.exec(arg) ?? []
  if (attached !== undefined && valueAliases.has(alias)) return plainFlag(`-${alias}=${attached}`, valueAliases)
  const [, flag, value] = /^(--?[A-Za-z][\w.-]*)=([\s\S]*)$/.exec(arg) ?? []
  return flag !== undefined && value !== undefined && /^$|\n/.test(value) ? [flag, value] : [arg]
}

/** The flags of a command, as far as their spelling matters. */
export interface KnownFlags {
  readonly flags: Readonly<Record<string, { readonly kind: string; readonly variadic?: boolean | string }>>
  /** Names of flags by their letters. */
  readonly aliases: Readonly<Record<string, string>>
}

/** Flags of the original that count as not given when they are empty, so that a script may pass an empty variable on (spec §2.3). */
const noneIfEmpty = new Set(['envFile', 'envUrl', 'envId', 'slice', 'with', 'keyFile', 'ref', 'callbackUrl', 'scripts', 'dockerSocket'])

/**
 * Of a flag that is given several times the last one counts, as with the original, unless its values are put together; the parser would refuse it. An
 * alias of a shell may so have flags that a command line overrules. An empty value has words of its own by now.
 */
export function withLastFlags(args: readonly string[], known: KnownFlags): readonly string[] {
  const end = args.indexOf('--')
  const words = (end < 0 ? args : args.slice(0, end)).flatMap(word => singleLetters(word, known))
  const kept: string[] = []
  const seen = new Set<string>()
  // From the end, where the one that counts comes first.
  for (let at = words.length - 1; at >= 0; at--) {
    const takesNext = at > 0 && isWaiting(words[at - 1] ?? '', known)
    const word = takesNext ? (words[at - 1] ?? '') : (words[at] ?? '')
    const name = flagNameOf(word, known)
    const flag = name === undefined ? undefined : known.flags[name]
    const isOverruled = name !== undefined && flag !== undefined && !flag.variadic && seen.has(name)
    if (name !== undefined) seen.add(name)
    const isNone = takesNext && name !== undefined && words[at] === '' && noneIfEmpty.has(name)
    if (!isOverruled && !isNone) kept.unshift(...words.slice(takesNext ? at - 1 : at, at + 1))
    if (takesNext) at--
  }
  return end < 0 ? kept : [...kept, ...args.slice(end)]
}

/** `-qa` as `-q -a`, when both take no value. */
function singleLetters(word: string, { flags, aliases }: KnownFlags): readonly string[] {
  const [, letters = ''] = /^-([A-Za-z]{2,})$/.exec(word) ?? []
  const isAllToggles = [...letters].every(letter => flags[aliases[letter] ?? '']?.kind === 'boolean')
  return letters === '' || !isAllToggles ? [word] : [...letters].map(letter => `-${letter}`)
}

function flagNameOf(word: string, { flags, aliases }: KnownFlags): string | undefined {
  const [, long, letter = ''] = /^(?:--([A-Za-z][\w-]*)|-([A-Za-z]))(?:=|$)/.exec(word) ?? []
  const name = long === undefined ? aliases[letter] : long.replaceAll(/-([a-z])/g, (_, first: string) => first.toUpperCase())
  return name !== undefined && Object.hasOwn(flags, name) ? name : undefined
}

/** Whether the next word is the value of this one. */
function isWaiting(word: string, known: KnownFlags): boolean {
  const name = word.includes('=') ? undefined : flagNameOf(word, known)
  return name !== undefined && known.flags[name]?.kind !== 'boolean'
}

/** Flags of all commands that take a value, for those that stand before the command. */
const leadingValueFlags = new Set(['--transport', '--with', '--token-file', '--output', '-o'])

export interface CommandLine {
  readonly command: string | undefined
  readonly args: readonly string[]
}

/** The command and its words; without a command, the flags that stand alone. Flags of all commands may stand before it, and `help COMMAND` asks what `COMMAND --help` does. */
export function readCommandLine(words: readonly string[]): CommandLine {
  let at = 0
  while (words[at]?.startsWith('-') && !['-h', '--help', '--version', '--'].includes(words[at] ?? '')) {
    at += leadingValueFlags.has(words[at] ?? '') ? 2 : 1
  }
  const [command, ...args] = words.slice(at)
  if (command === undefined) return { command, args: words }
  if (command === '-h' || command === '--help') return { command: undefined, args: [] }
  if (command === 'help') {
    const asked = args.find(arg => !arg.startsWith('-'))
    return { command: asked, args: asked === undefined ? [] : ['--help'] }
  }
  return { command, args: [...words.slice(0, at), ...args] }
}

export interface Words {
  readonly variables: readonly EnvironmentVariable[]
  readonly others: readonly string[]
}

/** Every argument that contains `=` is a variable, wherever it stands. */
export function splitVariables(args: readonly string[]): Words {
  const variables: EnvironmentVariable[] = []
  const others: string[] = []
  for (const arg of args) {
    const variable = usage('', () => parseVariable(arg))
    if (variable === undefined) others.push(arg)
    else if (arg.startsWith('-')) throw new UsageError(`${arg.split('=')[0]} is neither a flag nor the name of a variable`)
    else variables.push(variable)
  }
  return { variables, others }
}

/** An id on a host, with the name by which the user may call it again. */
export interface Target {
  readonly name: string
  readonly id: string
}

export interface HostTargets<Each> {
  readonly host: LocatorHost
  readonly targets: readonly Each[]
}

/** Locators, by host. The type of a locator is ignored, as it always was. */
export function readTargets(args: readonly string[], what: string): readonly HostTargets<Target>[] {
  if (args.length === 0) throw new UsageError(`give at least one ${what}: [host[:port]/]id`)
  const locators = args.map(arg => usage('', () => parseLocator(arg)))
  return groupByHost(locators).map(group => ({
    host: group.host,
    targets: group.locators.map(({ host, id }) => ({ id, name: host.kind === 'local' ? id : `${printHost(host)}/${id}` })),
  }))
}

/** Hosts, each once; none means this machine. */
export function readHosts(args: readonly string[]): readonly HostTargets<{ readonly name: string }>[] {
  const hosts = (args.length === 0 ? [''] : args).map(arg => usage('', () => parseHost(arg)))
  const byName = new Map(hosts.map(host => [printHost(host), host]))
  return [...byName].map(([name, host]) => ({ host, targets: [{ name }] }))
}
