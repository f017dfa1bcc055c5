/** Schemas of the fields that operations share. A rule is written once, with the words the caller is told. */
import { FormatError, isHostName, parseCpus, parseImageReference, parseMemory } from '../formats/index.ts'
import { type EnvironmentId, environmentIdRule, type Id, type ImageName, idRule, isEnvironmentId, isId } from './ids.ts'
import { limits } from './limits.ts'
import * as z from './schemas.ts'

/** Zod's own words for a wrong type, in ours. */
export function wants(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (input === undefined ? `is missing: it must be ${what}` : `must be ${what}`) }
}

/** Of operations that take no parameters, or no query. */
export const nothing = z.object({})

export const text = z.string(wants('a string'))
const truth = z.boolean(wants('true or false'))
export const flag = z._default(truth, false)
export const optionalFlag = z.optional(truth)

/** A flag in a query: `?all=1`, `?all=true`, `?all`; undefined when it is not there. */
export const optionalQueryFlag = z.optional(
  z.pipe(
    text.check(z.refine(value => ['', '0', '1', 'true', 'false'].includes(value), wants('1, true, 0 or false'))),
    z.transform(value => value !== '0' && value !== 'false'),
  ),
)
export const queryFlag = z._default(optionalQueryFlag, false)

/** A whole number in a query. */
export function queryCount(max: number) {
  return z.pipe(
    text.check(z.refine(value => /^\d{1,9}$/.test(value) && Number(value) <= max, wants(`a whole number of at most ${max}`))),
    z.transform(Number),
  )
}

/** Text that a parser of `formats/` takes; what it answers is the value. */
export function parsed<Value>(parse: (input: string) => Value, fallback?: string) {
  return z.pipe(
    fallback === undefined ? text : z._default(text, fallback),
    z.transform((input: string, context): Value => {
      try {
        return parse(input)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        context.issues.push({ code: 'custom', message: error.message, input })
        return z.NEVER
      }
    }),
  )
}

/** The same, with the empty string for nothing. */
export function optionalParsed<Value>(parse: (input: string) => Value) {
  return z.optional(parsed(input => (input === '' ? undefined : parse(input))))
}

export const id = z.pipe(
  text.check(z.refine(isId, { error: () => idRule })),
  z.transform(value => value as Id),
)

export const environmentId = z.pipe(
  text.check(z.refine(isEnvironmentId, { error: () => environmentIdRule })),
  z.transform(value => value as EnvironmentId),
)

/** The same, or the empty string for none. */
const optionalEnvironmentId = z.pipe(
  z._default(text.check(z.refine(value => value === '' || isEnvironmentId(value), { error: () => environmentIdRule })), ''),
  z.transform(value => (value === '' ? undefined : (value as EnvironmentId))),
)

/** An id, or the empty string for none. */
export const optionalId = z.pipe(
  z._default(text.check(z.refine(value => value === '' || isId(value), { error: () => idRule })), ''),
  z.transform(value => (value === '' ? undefined : (value as Id))),
)

export const image = parsed((input): ImageName => {
  parseImageReference(input)
  return input as ImageName
})

export const optionalImage = optionalParsed((input): ImageName => {
  parseImageReference(input)
  return input as ImageName
})

/** A whole number within bounds. */
export function whole(min: number, max: number) {
  return z.number(wants('a number')).check(
    z.refine(value => Number.isInteger(value) && value >= min && value <= max, {
      error: () => `must be a whole number from ${min} to ${max}`,
    }),
  )
}

const port = whole(1, 65_535)
export const portOrZero = z._default(whole(0, 65_535), 0)

export const portPair = z.object({ internal: port, external: portOrZero }, wants('an object with Internal and External'))

/** A list of bounded length. */
export function list<Item extends z.ZodMiniType>(item: Item, max: number) {
  return z.array(item, wants('a list')).check(z.refine(items => items.length <= max, { error: () => `must have at most ${max} entries` }))
}

export const portPairs = list(portPair, limits.portsMax).check(
  z.refine(pairs => isDistinct(pairs.map(pair => pair.internal)), { error: () => 'must not name the same Internal port twice' }),
  z.refine(pairs => isDistinct(pairs.map(pair => pair.external).filter(external => external !== 0)), {
    error: () => 'must not name the same External port twice',
  }),
)

function isDistinct(values: readonly number[]): boolean {
  return new Set(values).size === values.length
}

/** A host of a link: a name or an IPv4 address, or nothing. */
const linkHost = z._default(
  text.check(
    z.refine(value => value === '' || isHostName(value), {
      error: () => 'must be a host name or an IPv4 address',
    }),
  ),
  '',
)

const networkLink = z.object(
  { fromHost: linkHost, fromPort: port, toPort: portOrZero, toHost: linkHost },
  wants('an object with FromHost, FromPort, ToPort and ToHost'),
)
export const networkLinks = list(networkLink, limits.linksMax).check(
  z.refine(haveOneTargetEach, { error: () => 'must not lead the same FromHost and FromPort to two places' }),
)

function haveOneTargetEach(links: readonly z.infer<typeof networkLink>[]): boolean {
  const targets = new Map<string, string>()
  for (const { fromHost, fromPort, toHost, toPort } of links) {
    const from = `${fromHost === '' ? '127.0.0.1' : fromHost}:${fromPort}`
    const to = `${toHost}:${toPort}`
    if ((targets.get(from) ?? to) !== to) return false
    targets.set(from, to)
  }
  return true
}

const linksOfContainer = z.object({ id, networkLinks: z._default(networkLinks, []) }, wants('an object with Id and NetworkLinks'))

/** The links of several containers, each of which gets exactly these. */
export const containerLinks = list(linksOfContainer, limits.linkedContainersMax).check(
  z.refine(entries => entries.length > 0, { error: () => 'must have at least one entry' }),
  z.refine(entries => new Set(entries.map(entry => entry.id)).size === entries.length, {
    error: () => 'must not name the same container twice',
  }),
)

export const lineRule = 'must be one line of Unicode text, without line breaks and NUL'
const isOneLine = z.refine<string>(isLine, { error: () => lineRule })

export function isLine(value: string): boolean {
  return value.isWellFormed() && !/[\n\r\0]/.test(value)
}

export function maxBytes(bytes: number) {
  return z.refine<string>(value => value.length <= bytes && new TextEncoder().encode(value).length <= bytes, {
    error: () => `must have at most ${bytes} bytes`,
  })
}

export const variable = z.object(
  {
    name: text.check(
      isOneLine,
      maxBytes(limits.environmentNameBytes),
      z.refine(value => value.trim() !== '', { error: () => 'must not be blank' }),
      z.refine(value => !/[\s=\u0085]/.test(value), { error: () => 'must not contain white space or =' }),
    ),
    value: z._default(text.check(isOneLine, maxBytes(limits.environmentValueBytes)), ''),
  },
  wants('an object with Name and Value'),
)

export const sourceUrl = z._default(
  text.check(z.refine(value => value === '' || isHttpUrl(value), { error: () => 'must be an http or https URL' })),
  '',
)

function isHttpUrl(value: string): boolean {
  // The URL parser itself would pass over spaces and line breaks.
  if (value.length > 2048 || !/^[!-~]+$/.test(value) || !URL.canParse(value)) return false
  return ['http:', 'https:'].includes(new URL(value).protocol)
}

/** The name of an image that is made: no digest, and not an id. */
export const imageTag = parsed((input): ImageName => {
  const reference = parseImageReference(input)
  if (reference.kind === 'name' && reference.digest === undefined) return input as ImageName
  throw new FormatError('image.tag', 'must be the name of an image, without a digest')
})

/** A text that is taken and not used. */
export const unusedText = z._default(text.check(isOneLine, maxBytes(1024)), '')

export const environment = z.object(
  { variables: z._default(list(variable, limits.variablesMax), []), source: sourceUrl, id: optionalEnvironmentId },
  wants('an object with Variables, Source and Id'),
)

/** The engines a container may be on; the empty string, as nothing at all, for that of the host. */
export const engineKinds = ['docker', 'podman'] as const
export type EngineKind = (typeof engineKinds)[number]
export const engine = z.pipe(
  text.check(z.refine(value => value === '' || isOneOf(engineKinds, value), wants(`one of ${engineKinds.join(', ')}`))),
  z.transform(value => (value === '' ? undefined : (value as EngineKind))),
)

export function isOneOf(names: readonly string[], value: string): boolean {
  return names.includes(value)
}

/** `512m`, `1g`, bytes, or `0` for no limit. Inside: bytes. */
export const memory = parsed(parseMemory)
/** `1.5`, or `0` for no limit. */
export const cpus = parsed(parseCpus)
export const pids = whole(0, 4_194_304)

/** Words of a command, as they are handed to the program; no shell reads them. */
const execWord = text.check(
  maxBytes(limits.bodyBytes),
  z.refine(value => value.isWellFormed() && !value.includes('\0'), { error: () => 'must be Unicode text without NUL' }),
)
export const execWords = list(execWord, limits.execWordsMax).check(
  z.refine(words => words[0] !== undefined && words[0] !== '', { path: [0], error: () => 'must be a program' }),
)
/** The program of a job in place of its image's entry point; empty for that. */
export const jobProgram = z._default(text.check(isOneLine, maxBytes(limits.containerPathBytes)), '')
export const jobArguments = z._default(list(execWord, limits.execWordsMax), [])
