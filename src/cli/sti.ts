/**
 * `sti`, the original's tool for builds (spec §2.6), with its flags: `sti build`, `sti usage`, `sti version`. Too few arguments and every failure
 * end with 1 and a message on stdout, as there. A flag that it does not know is wrong usage as well, where the original ended with 0.
 */
import { asGearError, type BuildAsked, explain, GearError } from '../api/index.ts'
import { type Input, request } from '../client/index.ts'
import { FormatError } from '../formats/index.ts'
import { parseVariables } from './commands/build.ts'
import { completeSti } from './complete-sti.ts'
import { type Context, Interruption } from './context.ts'
import { stiFlags, stiHelp, stiUsage, stiVerbs } from './sti-words.ts'
import { didYouMean, UsageError } from './usage-error.ts'

/** As `parseArgs` takes them. */
const options = Object.fromEntries(
  [...stiFlags, stiHelp].map(({ name, letter, placeholder, isRepeated }) => [
    name,
    {
      type: placeholder === undefined ? ('boolean' as const) : ('string' as const),
      multiple: isRepeated ?? false,
      ...(letter === undefined ? {} : { short: letter }),
    },
  ]),
)

/** The exit code. Never throws. */
export async function runSti(words: readonly string[], context: Context): Promise<number> {
  try {
    return await carryOut(words, context)
  } catch (error) {
    const { reason } = context.signal
    if (reason instanceof Interruption) return reason.exitCode
    const isUsage = error instanceof UsageError || error instanceof FormatError || isParseError(error)
    const message = error instanceof Error && isUsage ? plainMessage(error) : explain(asGearError(error))
    await context.out.write(`An error occurred: ${message}\n`)
    return 1
  }
}

async function carryOut(words: readonly string[], context: Context): Promise<number> {
  if (words[0] === '__complete') {
    await context.out.write(await completeSti(words.slice(1), context))
    return 0
  }
  const { parseArgs } = process.getBuiltinModule('node:util')
  const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true })
  const isSet = (name: string) => values[name] === true
  const textOf = (name: string) => [values[name]].flat().find(value => typeof value === 'string')
  const [verb, ...args] = positionals
  if (isSet('help') || verb === undefined || verb === 'help') {
    await context.err.write(stiUsage())
    return 0
  }
  if (verb === 'version') {
    await context.out.write(`sti ${context.version}\n`)
    return 0
  }
  const [source, image, tag] = verb === 'usage' ? ['/', args[0], 'usage'] : args
  if ((verb !== 'build' && verb !== 'usage') || source === undefined || image === undefined || tag === undefined) {
    const isVerb = verb === 'build' || verb === 'usage'
    const hint = isVerb ? '' : `there is no sti ${verb}${didYouMean(verb, [...Object.keys(stiVerbs), 'help'])}; `
    throw new UsageError(`${hint}give sti build SOURCE IMAGE TAG, sti usage IMAGE or sti version, not: ${positionals.join(' ')}`)
  }
  const body: NonNullable<Input<'buildImage'>['body']> = {
    source,
    baseImage: image,
    tag,
    ref: textOf('ref'),
    clean: isSet('clean'),
    removePrevious: isSet('rm'),
    verbose: isSet('verbose'),
    callbackUrl: textOf('callbackUrl'),
    scripts: textOf('scripts'),
    environment: { variables: [values['env'] ?? []].flat().map(String).flatMap(parseVariables), source: '' },
  }
  const asked = request('buildImage', { body }).body as BuildAsked
  const { buildHere, showUsage } = await import('../agent/index.ts')
  let written = Promise.resolve()
  const say = (text: string): Promise<void> => {
    written = context.out.write(text)
    return written
  }
  const work = { signal: context.signal, say, engineAddress: textOf('url'), isFolderKept: isSet('savetempdir') }
  try {
    if (verb === 'usage') await showUsage(asked, work)
    else await buildHere(asked, work)
  } finally {
    await written
  }
  return 0
}

/** Node explains at length how an unknown flag could be an argument. */
function plainMessage(error: Error): string {
  const [, flag] = /^Unknown option '(-[^']*)'/.exec(error.message) ?? []
  if (flag === undefined) return error.message
  return `there is no flag ${flag}${didYouMean(
    flag,
    Object.keys(options).map(name => `--${name}`),
  )}`
}

/** What parseArgs says of flags it does not know, and of values that are missing. */
function isParseError(error: unknown): boolean {
  return error instanceof TypeError && !(error instanceof GearError) && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
