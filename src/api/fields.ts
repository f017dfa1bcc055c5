/** Schemas of the fields that operations share. A rule is written once, with the words the caller is told. */

import {
  checkVolumePath,
  FormatError,
  isHostName,
  isOpenSshFingerprint,
  isSshKeyFingerprint,
  parseBuildSource,
  parseCapability,
  parseCloneSource,
  parseCpus,
  parseGitRef,
  parseGitRevision,
  parseImageReference,
  parseMemory,
  parseQuota,
  parseRequestId,
  parseScriptsUrl,
  sshKeyLineBytes,
} from '../formats/index.ts'
import {
  type CloneUrl,
  type ContainerId,
  type GitRef,
  type HostKeyFingerprint,
  type Id,
  type ImageName,
  idRule,
  isId,
  type KeyFingerprint,
  type LeaseName,
  type RepositoryId,
  type RequestId,
} from './ids.ts'
import { limits } from './limits.ts'
import * as z from './schemas.ts'

/** Zod's own words for a wrong type, in ours. */
export function wants(what: string): { readonly error: () => string } {
  return { error: () => `must be ${what}` }
}

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

export const id = z.pipe(
  text.check(z.refine(isId, { error: () => idRule })),
  z.transform(value => value as Id),
)

/** An id, or the empty string for none. */
export const optionalId = z.pipe(
  z._default(text.check(z.refine(value => value === '' || isId(value), { error: () => idRule })), ''),
  z.transform(value => (value === '' ? undefined : (value as Id))),
)

/** The name of a deployment, or of a container of one with the prefix of its ids. */
export const leaseName = z.pipe(
  text.check(
    z.refine(value => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$/.test(value), {
      error: () => 'must be 1 to 96 characters of A-Z a-z 0-9 _ . - and start with a letter or digit',
    }),
  ),
  z.transform(value => value as LeaseName),
)

/** By which a lease knows its owner. */
export const leaseToken = text.check(
  z.refine(value => /^[A-Za-z0-9_-]{22}$/.test(value), { error: () => 'must be 22 characters of base64url' }),
)

/** Who holds a lease, for people. */
export const leaseHolder = text.check(
  z.refine(value => value.length <= 200 && value.isWellFormed() && /^[^\p{Cc}\u2028\u2029]+$/u.test(value), {
    error: () => 'must be one line of 1 to 200 characters',
  }),
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
/** The same, with the empty string for nothing. */
function optionalParsed<Value>(parse: (input: string) => Value) {
  return z.optional(parsed(input => (input === '' ? undefined : parse(input))))
}

export function whole(min: number, max: number) {
  return z.number(wants('a number')).check(
    z.refine(value => Number.isInteger(value) && value >= min && value <= max, {
      error: () => `must be a whole number from ${min} to ${max}`,
    }),
  )
}

const port = whole(1, 65_535)
const portOrZero = z._default(whole(0, 65_535), 0)

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

const lineRule = 'must be one line of Unicode text, without line breaks and NUL'
const isOneLine = z.refine<string>(isLine, { error: () => lineRule })

function isLine(value: string): boolean {
  return value.isWellFormed() && !/[\n\r\0]/.test(value)
}

function maxBytes(bytes: number) {
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

const sourceUrl = z._default(
  text.check(z.refine(value => value === '' || isHttpUrl(value), { error: () => 'must be an http or https URL' })),
  '',
)

function isHttpUrl(value: string): boolean {
  // The URL parser itself would pass over spaces and line breaks.
  if (value.length > 2048 || !/^[!-~]+$/.test(value) || !URL.canParse(value)) return false
  return ['http:', 'https:'].includes(new URL(value).protocol)
}

/** Variables for the scripts of a build, and a file of more. */
export const buildEnvironment = z.object(
  { variables: z._default(list(variable, limits.variablesMax), []), source: sourceUrl },
  wants('an object with Variables and Source'),
)

/** An http or https URL, or the empty string for none. */
export const optionalUrl = z.pipe(
  sourceUrl,
  z.transform(value => (value === '' ? undefined : value)),
)

export const buildSource = parsed(input => {
  parseBuildSource(input)
  return input
})

export const buildRef = optionalParsed(parseGitRef)

export const scriptsUrl = optionalParsed(input => {
  parseScriptsUrl(input)
  return input
})

/** A network of the engine, which may not be the host's own or that of another container. */
export const buildNetwork = optionalParsed(input => {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(input) && input !== 'host') return input
  throw new FormatError('network', 'must be none or the name of a network of the engine, and not host')
})

/** The name of an image that is made: no digest, and not an id. */
export const imageTag = parsed((input): ImageName => {
  const reference = parseImageReference(input)
  if (reference.kind === 'name' && reference.digest === undefined) return input as ImageName
  throw new FormatError('image.tag', 'must be the name of an image, without a digest')
})

/** A text that is taken and not used. */
export const unusedText = z._default(text.check(isOneLine, maxBytes(1024)), '')

/** What is not supported: the field is the original's. */
export const nothingYet = z._default(text.check(z.refine(value => value === '', { error: () => 'is not supported' })), '')

/** The id of a build: its request id, or the name of its unit without `build-` and `.service`, which has that encoded once more. */
export const buildId = parsed((input): RequestId => {
  const isUnit = /^[A-Za-z0-9_-]{30}$/.test(input)
  return parseRequestId(isUnit ? Buffer.from(input, 'base64url').toString('latin1') : input) as RequestId
})

export const environment = z.object(
  { variables: z._default(list(variable, limits.variablesMax), []), source: sourceUrl, id: optionalId },
  wants('an object with Variables, Source and Id'),
)

const mountPath = parsed(input => {
  checkVolumePath(input)
  return input
})

export const volumeConfig = z
  .object(
    {
      volumes: z._default(list(z.object({ path: mountPath }, wants('an object with Path')), limits.volumesMax), []),
      volumeMounts: z._default(
        list(
          z.object({ path: mountPath, hostPath: mountPath, readOnly: flag }, wants('an object with Path, HostPath and ReadOnly')),
          limits.volumesMax,
        ),
        [],
      ),
    },
    wants('an object with Volumes and VolumeMounts'),
  )
  .check(
    z.refine(
      ({ volumes, volumeMounts }) => arePlaces([...volumes.map(volume => volume.path), ...volumeMounts.map(mount => mount.hostPath)]),
      { error: () => 'must name each place in the container once, and not its root' },
    ),
  )

function arePlaces(paths: readonly string[]): boolean {
  return !paths.includes('/') && new Set(paths).size === paths.length
}

/** One public key, as the original names its form: a line of authorized_keys. Whether it is one is seen key by key, when it is stored. */
const publicKey = z.object(
  {
    type: text.check(z.refine(value => value === 'authorized_keys', wants('authorized_keys'))),
    // The original's client sends each line with its end.
    value: text.check(
      maxBytes(sshKeyLineBytes),
      z.refine(value => isLine(value.replace(/\r?\n$/, '')), { error: () => lineRule }),
    ),
  },
  wants('an object with Type and Value'),
)
export const publicKeys = list(publicKey, limits.keysMax).check(
  z.refine(keys => keys.length > 0, { error: () => 'must have at least one entry' }),
)

export const containerIds = list(z.object({ id }, wants('an object with Id')), limits.keyPermissionsMax)
const repositoryAccess = z.object({ id, write: flag }, wants('an object with Id and Write'))
export const repositoryAccesses = list(repositoryAccess, limits.keyPermissionsMax)

export const keyFingerprint = z.pipe(
  text.check(z.refine(isSshKeyFingerprint, wants('the 43 characters by which gear names a key'))),
  z.transform(value => value as KeyFingerprint),
)

/** What keys are let into. What `With` must be, depends on `Type`. */
const keyPermission = z
  .object(
    {
      type: z._default(
        text.check(z.refine(value => ['', 'container', 'repository'].includes(value), wants('container or repository'))),
        '',
      ),
      with: z.unknown(),
    },
    wants('an object with Type and With'),
  )
  .check(
    z.refine(permission => readKeyPermission(permission) !== undefined, {
      path: ['with'],
      error: () => 'must be the id of a container or, with the Type repository, an object with Id and Write',
    }),
  )
export const keyPermissions = list(keyPermission, limits.keyPermissionsMax)

/** What a set of keys is let into. */
export type KeyPermission =
  | { readonly type: 'container'; readonly id: ContainerId }
  | { readonly type: 'repository'; readonly id: RepositoryId; readonly write: boolean }

/** A permission of a request in inside names; undefined for one that the contract does not take. */
export function readKeyPermission({ type, with: value }: z.infer<typeof keyPermission>): KeyPermission | undefined {
  if (type === 'repository') {
    const { data } = repositoryAccess.safeParse(foldedKeys(value))
    return data === undefined ? undefined : { type, ...data }
  }
  const { data } = id.safeParse(value)
  return data === undefined ? undefined : { type: 'container', id: data }
}

/** Keys of an object that stands where anything may stand match in any case too. */
function foldedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]))
}

/** The slices a container may be in; all but the first are size classes too. */
export const sliceNames = ['container', 'container-small', 'container-large'] as const
export const slice = z.pipe(
  z._default(text.check(z.refine(value => value === '' || isOneOf(sliceNames, value), wants(`one of ${sliceNames.join(', ')}`))), ''),
  z.transform(value => (value === '' ? 'container-small' : (value as (typeof sliceNames)[number]))),
)

/** When systemd starts a container again by itself: systemd.service(5), Restart=. */
export const restartPolicies = ['on-failure', 'always', 'no'] as const
export const restartPolicy = z.pipe(
  z._default(
    text.check(z.refine(value => value === '' || isOneOf(restartPolicies, value), wants(`one of ${restartPolicies.join(', ')}`))),
    '',
  ),
  z.transform(value => (value === '' ? 'on-failure' : (value as (typeof restartPolicies)[number]))),
)

/** The engines a container may be on; the empty string, as nothing at all, for that of the host. */
export const engineKinds = ['docker', 'podman'] as const
export type EngineKind = (typeof engineKinds)[number]
export const engine = z.pipe(
  text.check(z.refine(value => value === '' || isOneOf(engineKinds, value), wants(`one of ${engineKinds.join(', ')}`))),
  z.transform(value => (value === '' ? undefined : (value as EngineKind))),
)

/** Names of capabilities(7) in any case, with or without CAP_; ALL for all of them. */
export const capabilities = list(parsed(parseCapability), limits.capabilitiesMax)

/** A file of the host, `unconfined`, or nothing. */
export const seccompProfile = z.pipe(
  text.check(
    z.refine(value => value === '' || value === 'unconfined' || isFilePath(value), {
      error: () => 'must be unconfined or the absolute path of a file on the host, in its shortest form and without : and ,',
    }),
  ),
  z.transform(value => (value === '' ? undefined : value)),
)

function isFilePath(value: string): boolean {
  try {
    checkVolumePath(value)
    return value !== '/'
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

/** `auto`, or nothing. */
export const userNamespace = z.pipe(
  text.check(z.refine(value => value === '' || value === 'auto', wants('auto'))),
  z.transform(value => (value === '' ? undefined : ('auto' as const))),
)

function isOneOf(names: readonly string[], value: string): boolean {
  return names.includes(value)
}

/** `512m`, `1g`, bytes, or `0` for no limit. Inside: bytes. */
export const memory = parsed(parseMemory)
/** `10g`, or `0` for no limit. Inside: bytes. */
export const quota = parsed(parseQuota)
/** `1.5`, or `0` for no limit. */
export const cpus = parsed(parseCpus)
export const pids = whole(0, 4_194_304)

/** An address to clone from, or nothing. */
export const cloneSource = parsed(input => (input === '' ? undefined : (parseCloneSource(input).text as CloneUrl)), '')
/** The key by which another host is known, or nothing. */
export const hostKey = z.optional(
  z.pipe(
    text.check(
      z.refine(
        value => value === '' || isOpenSshFingerprint(value),
        wants('a fingerprint as OpenSSH prints it: SHA256: and 43 characters of base64'),
      ),
    ),
    z.transform(value => (value === '' ? undefined : (value as HostKeyFingerprint))),
  ),
)
/** The name of a branch, a tag or a commit, or a commit before it. */
export const gitRevision = parsed(input => parseGitRevision(input) as GitRef)

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
export const terminalSize = whole(1, 65_535)
/** Of a file or folder in a container: links in it are followed, but there is no way up that would depend on them. */
export const containerPath = text.check(
  maxBytes(limits.containerPathBytes),
  z.refine(
    value => value.startsWith('/') && value.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(value) && !value.split('/').includes('..'),
    wants('an absolute path in the container, without ".." and control characters'),
  ),
)
/** A user in the container, or the empty string for the one that is usual. */
export const execUser = text.check(
  z.refine(
    value => /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?)?$/.test(value),
    wants('a user, with a group after a colon or not'),
  ),
)
