/**
 * How the agent is set up: by flags, then the environment (`GEARD_…`), then a JSON file, then defaults; each setting takes the first that
 * names it. One table says what there is, and the checks, `--show-config` and the reference page are made from it.
 */
import { fstatSync, readFileSync, statSync } from 'node:fs'
import * as z from 'zod/mini'
import { GearError } from '../api/index.ts'
import { defaultAgentPort, printTable } from '../formats/index.ts'
import type { Paths } from '../host/index.ts'
import { parseListenUrl } from './listeners.ts'
import { logLevels } from './log.ts'

const defaultConfigFile = '/etc/gear/gear.json'

function must(rule: string): { readonly error: () => string } {
  return { error: () => `must be ${rule}` }
}

const truth = z.boolean(must('true or false'))
const path = z
  .string(must('a path'))
  .check(z.refine(value => /^\/[^\0\n]*[^\0\n/]$/.test(value), must('an absolute path without a slash at the end')))
const listenUrl = z
  .string(must('a list of URLs'))
  .check(z.refine(value => parseListenUrl(value) !== undefined, must(`a list of URLs such as http://127.0.0.1:${defaultAgentPort}`)))
const hostName = z
  .string(must('a list of names'))
  .check(z.refine(value => /^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252})$/.test(value), must('a list of host names')))

/** What can be set. `env` reads the text of an environment variable. */
const settings = {
  listen: setting({
    schema: z.array(listenUrl, must('a list of URLs')),
    fallback: [`http://127.0.0.1:${defaultAgentPort}`],
    variable: 'GEARD_LISTEN',
    read: list,
    description: 'Where to listen over TCP: URLs of the scheme http. Others than loopback ones need tokenFile or insecureHttp.',
  }),
  socketPath: setting({
    schema: z.union([z.literal(''), path], must('an absolute path, or empty for none')),
    fallback: '/run/gear/gear.sock',
    variable: 'GEARD_SOCKET',
    read: text,
    description: 'The Unix socket, for root and the group gear. Empty for none.',
  }),
  tokenFile: setting({
    schema: z.union([z.literal(''), path], must('an absolute path, or empty for none')),
    fallback: '',
    variable: 'GEARD_TOKEN_FILE',
    read: text,
    description: 'A file, readable by its owner only, with the bearer token that callers of other than loopback addresses must send.',
  }),
  insecureHttp: setting({
    schema: truth,
    fallback: false,
    variable: 'GEARD_INSECURE_HTTP',
    read: yesOrNo,
    description: 'Let everybody who reaches a listening address call, without a token. They are as good as root.',
  }),
  hostNames: setting({
    schema: z.array(hostName, must('a list of names')),
    fallback: [],
    variable: 'GEARD_HOST_NAMES',
    read: list,
    description: 'Names of this host, besides its own, that requests may be addressed to.',
  }),
  engine: setting({
    schema: z.enum(['auto', 'docker', 'podman'], must('auto, docker or podman')),
    fallback: 'auto',
    variable: 'GEARD_ENGINE',
    read: text,
    description:
      'The engine of containers for which none is named: docker, podman, or auto for docker where it answers and podman where not.',
  }),
  logFormat: setting({
    schema: z.enum(['text', 'json'], must('text or json')),
    fallback: 'text',
    variable: 'GEARD_LOG_FORMAT',
    read: text,
    description: 'The form of the lines of the log.',
  }),
  logLevel: setting({
    schema: z.enum(logLevels, must(`one of ${logLevels.join(', ')}`)),
    fallback: 'info',
    variable: 'GEARD_LOG_LEVEL',
    read: text,
    description: 'The least important lines that are logged.',
  }),
  basePath: setting({
    schema: path,
    fallback: '/var/lib/containers',
    variable: 'GEARD_BASE_PATH',
    read: text,
    description: 'Where the state is.',
  }),
  runPath: setting({
    schema: path,
    fallback: '/var/run/containers',
    variable: 'GEARD_RUN_PATH',
    read: text,
    description: 'Where the state is that does not outlive a boot.',
  }),
  cloneRoot: setting({
    schema: path,
    fallback: '/srv/git',
    variable: 'GEARD_CLONE_ROOT',
    read: text,
    description: 'The folder below which repositories of this host itself may be cloned from. Links that lead out of it are not followed.',
  }),
  hasEnvFile: setting({
    schema: truth,
    fallback: true,
    variable: 'GEARD_HAS_ENV_FILE',
    read: yesOrNo,
    description: 'Accepted for the sake of older set-ups; without effect.',
  }),
  hasForeground: setting({
    schema: truth,
    fallback: false,
    variable: 'GEARD_HAS_FOREGROUND',
    read: yesOrNo,
    description: 'Accepted for the sake of older set-ups; without effect.',
  }),
  idleExitMinutes: setting({
    schema: z
      .number(must('a number'))
      .check(z.refine(value => Number.isInteger(value) && value >= 0 && value <= 10_080, must('a whole number from 0 to 10080'))),
    fallback: 0,
    variable: 'GEARD_IDLE_EXIT_MINUTES',
    read: Number,
    description: 'Exit after so many minutes without a connection, where gear.socket starts the agent again. 0 for never.',
  }),
} as const

type Settings = typeof settings
export type SettingName = keyof Settings
export type Config = { readonly [Name in SettingName]: z.output<Settings[Name]['schema']> }

/** Where a value came from: `flag`, the name of a variable, the path of a file, `default`. */
export type Sources = { readonly [Name in SettingName]: string }

export interface LoadedConfig {
  readonly config: Config
  readonly sources: Sources
}

export interface ConfigInput {
  /** Settings given on the command line; undefined where not given. */
  readonly flags?: { readonly [Name in SettingName]?: unknown }
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The file; one that was asked for must be there. */
  readonly file?: string | undefined
}

interface Setting<Schema extends z.ZodMiniType> {
  readonly schema: Schema
  readonly fallback: z.output<Schema>
  readonly variable: string
  readonly read: (text: string) => unknown
  readonly description: string
}

function setting<const Schema extends z.ZodMiniType>(value: Setting<Schema>): Setting<Schema> {
  return value
}

function text(value: string): string {
  return value
}

function list(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter(item => item !== '')
}

function yesOrNo(value: string): unknown {
  if (['1', 'true', 'yes'].includes(value)) return true
  return ['0', 'false', 'no'].includes(value) ? false : value
}

/** Throws CONFIG_INVALID that names every wrong setting and where it was made. */
export function loadConfig({ flags = {}, environment = process.env, file }: ConfigInput = {}): LoadedConfig {
  const filePath = file ?? environment['GEARD_CONFIG'] ?? defaultConfigFile
  const fromFile = readConfigFile(filePath, filePath !== defaultConfigFile)
  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  const wrong: { field: string; rule: string }[] = []
  for (const [name, { schema, fallback, variable, read }] of Object.entries<Setting<z.ZodMiniType>>(settings)) {
    const written = environment[variable]
    const flag = flags[name as SettingName]
    const [value, source] =
      flag !== undefined
        ? [flag, 'flag']
        : written !== undefined && written !== ''
          ? [read(written), variable]
          : Object.hasOwn(fromFile, name)
            ? [fromFile[name], filePath]
            : [fallback, 'default']
    const checked = schema.safeParse(value)
    if (checked.success) config[name] = checked.data
    else wrong.push({ field: `${name} (${source})`, rule: checked.error.issues[0]?.message ?? 'is wrong' })
    sources[name] = source
  }
  const loaded = { config: config as Config, sources: sources as Sources }
  const rules = wrong.length > 0 ? wrong : contradictions(loaded)
  if (rules.length > 0)
    throw new GearError('CONFIG_INVALID', rules.map(({ field, rule }) => `${field} ${rule}`).join('; '), { fields: rules })
  return loaded
}

/** Settings that are right by themselves and wrong together, or that this version cannot serve. */
function contradictions({ config, sources }: LoadedConfig): readonly { field: string; rule: string }[] {
  const wrong = []
  if (config.tokenFile !== '' && config.insecureHttp) {
    wrong.push({ field: 'insecureHttp', rule: `(${sources.insecureHttp}) must not be set together with tokenFile (${sources.tokenFile})` })
  }
  return wrong
}

function readConfigFile(path: string, isRequired: boolean): Readonly<Record<string, unknown>> {
  const refuse = (rule: string, cause?: unknown): GearError =>
    new GearError('CONFIG_INVALID', `The configuration file ${path} ${rule}`, { cause })
  let json: string
  try {
    if ((statSync(path).mode & 0o022) !== 0) throw refuse('may be written by others than its owner: chmod 644 it')
    json = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof GearError) throw error
    if (!isRequired && (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw refuse('cannot be read', error)
  }
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw refuse('is not JSON', error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('must hold a JSON object')
  const unknown = Object.keys(value).find(name => !Object.hasOwn(settings, name))
  if (unknown !== undefined) throw refuse(`names ${JSON.stringify(unknown)}, which is not a setting`)
  return value as Readonly<Record<string, unknown>>
}

/** Where systemd listens for the agent's state (sd_notify(3)). */
export function notifySocket(environment: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  return environment['NOTIFY_SOCKET']
}

/** For tests of survival only (see `step-log.ts`), therefore no setting. */
export function faultFile(environment: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  return environment['GEARD_FAULT_FILE']
}

/** The roots that can be set. */
export function hostPaths({ basePath, runPath, cloneRoot }: Config): Pick<Paths, 'base' | 'run' | 'cloneRoot'> {
  return { base: basePath, run: runPath, cloneRoot }
}

/** The result and where each value came from, for people. */
export function showConfig({ config, sources }: LoadedConfig): string {
  const names = Object.keys(settings) as SettingName[]
  return printTable(
    ['SETTING', 'VALUE', 'FROM'],
    names.map(name => [name, JSON.stringify(config[name]), sources[name]]),
  )
}

/** For the reference page: every setting with its variable, default and meaning. */
export function settingsTable(): readonly {
  readonly name: string
  readonly variable: string
  readonly fallback: unknown
  readonly description: string
}[] {
  return Object.entries(settings).map(([name, { variable, fallback, description }]) => ({ name, variable, fallback, description }))
}

/** Whether standard error is the journal (systemd.exec(5), JOURNAL_STREAM): then lines may carry their priority. */
export function isJournalStream(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const stream = environment['JOURNAL_STREAM']
  if (stream === undefined || stream === '') return false
  try {
    const { dev, ino } = fstatSync(2)
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}
