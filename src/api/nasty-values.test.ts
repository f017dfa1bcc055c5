/**
 * Every text of every operation against every nasty value. The fields are found by walking the schemas, so a new one is covered the day it
 * lands: whatever it takes of these values must be proven harmless below, by a reason and a proof, or be refused with the field named.
 */
import { describe, expect, it } from 'vitest'
import type * as z from 'zod/mini'
import { renderUnit, specOf } from '../domains/containers/index.ts'
import {
  FormatError,
  parseAuthorizedKey,
  parseBuildSource,
  parseFirstJson,
  parseStoredEnvironment,
  parseUnitFile,
  printEnvironment,
  printSshKey,
  splitCommand,
  unitValues,
} from '../formats/index.ts'
import { contract, type OperationName } from './contract.ts'
import { GearError } from './errors.ts'
import { type Id, isEnvironmentId, isId, type RequestId } from './ids.ts'
import { limits } from './limits.ts'
import type { Operation } from './operation.ts'
import { fromText, fromWire, wireName } from './wire.ts'

const bare: Readonly<Record<string, string>> = {
  newline: '\n',
  'carriage return': '\r',
  'two lines': 'ab\ncd',
  percent: '%',
  'two percents': '%%',
  specifier: '%n',
  substitution: '$(x)',
  variable: '$HOME',
  quotes: '"\'`',
  'backslash at the end': 'ab\\',
  nul: 'ab\0c',
  'parent and more': '../x',
  parent: '..',
  absolute: '/abs',
  dash: '-x',
  option: '--privileged',
  'leading dot': '.x',
  huge: 'a'.repeat(1024 * 1024),
  'lone surrogate': 'ab\ud800c',
  prototype: '__proto__',
  empty: '',
  blanks: '  ',
  tab: '\t',
  'not ASCII': 'äöü',
  'line separator': 'ab\u2028c',
  'next line': 'ab\u0085c',
  escape: '\u001b[2J',
  'byte order mark': '\ufeffab',
  comma: 'a,b',
  colon: 'a:b',
  semicolon: 'a ; b',
  comment: '#x',
  section: '[Service]',
}

/** Each as it is, and after something that its field would take. */
const nastyValues: readonly (readonly [name: string, value: string])[] = Object.entries(bare).flatMap(([name, value]) => {
  const prefixes = value === '' || name === 'huge' ? [] : ['acme', '/x', 'http://x.example/', '1']
  return [[name, value], ...prefixes.map(prefix => [`${prefix} and ${name}`, prefix + value] as const)]
})

interface Proof {
  /** Why the field takes some of these values. */
  readonly reason: string
  /** What holds for each that it takes. */
  readonly prove: (value: string) => void
}

const emptyOnly: Proof = { reason: 'empty stands for the default', prove: value => expect(value).toBe('') }
const anEnvironmentId: Proof = {
  reason: 'it names a file below a folder of its first two characters, and has only characters that mean nothing in paths and URLs',
  prove: value => {
    expect(value === '' || isEnvironmentId(value)).toBe(true)
    expect(`/${value.slice(0, 2)}/${value}/`).not.toMatch(/\/\.{1,2}\//)
  },
}
const anId: Proof = {
  reason: 'an id has only characters that mean nothing in paths, unit names, arguments and URLs',
  prove: value => expect(isId(value)).toBe(true),
}
const imageName: Proof = {
  reason: 'an image reference has only characters that mean nothing to systemd, and does not begin like an option',
  prove: value => expect(value).toMatch(/^[a-z0-9][a-z0-9._/:@-]*$/),
}
const environmentName: Proof = {
  reason: 'stored raw in a line of its own, read by the engine only',
  prove: name => proveStored({ name, value: 'v' }),
}
const environmentValue: Proof = {
  reason: 'stored raw in a line of its own, read by the engine only',
  prove: value => proveStored({ name: 'N', value }),
}
const sourceUrl: Proof = {
  reason: 'what is fetched is the parsed URL, in which everything special is escaped',
  prove: value => expect(value === '' || /^https?:\/\/[!-~]+$/.test(new URL(value).href)).toBe(true),
}
const hostName: Proof = {
  reason: 'a host name has only characters that mean nothing in rule sets',
  prove: value => expect(value).toMatch(/^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$/),
}
const volume: Proof = {
  reason: 'a path may hold anything but a control character, a colon and a comma; in the unit it is quoted',
  prove: path => proveOption(path, { Volumes: [{ Path: path }] }),
}
const mountSource: Proof = { ...volume, prove: path => proveOption(`${path}:/mnt`, { VolumeMounts: [{ Path: path, HostPath: '/mnt' }] }) }
const mountTarget: Proof = { ...volume, prove: path => proveOption(`/mnt:${path}`, { VolumeMounts: [{ Path: '/mnt', HostPath: path }] }) }

const publicKey: Proof = {
  reason: 'what is no key is refused when it is stored, and of a key nothing but its kind and its base64 is',
  prove: value => {
    try {
      expect(printSshKey(parseAuthorizedKey(value).key)).toMatch(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*\n$/)
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError)
    }
  },
}

const cloneUrl: Proof = {
  reason: 'empty for none; else git gets it after --, and only with the transport that it names',
  prove: value => expect(value).toMatch(/^$|^(\/|(https?|ssh|git|file):\/\/\/?[A-Za-z0-9_[]|[A-Za-z0-9_.@]+:[^-:])[!-~]*$/),
}

const containerPath: Proof = {
  reason: 'a path is one argument behind the id of a container, or escaped in a URL, and has no way up',
  prove: value => {
    expect(value).toMatch(/^\//)
    expect(value).not.toMatch(/\0|(^|\/)\.\.(\/|$)/)
  },
}

const harmless: Readonly<Record<string, Proof>> = {
  'params id': anId,
  'installContainer body Image': imageName,
  'createRepository body Build.BaseImage': imageName,
  'createRepository body Build.Tag': imageName,
  'createRepository body Build.Restart': {
    reason: 'an id, or empty for none',
    prove: value => expect(value === '' || isId(value)).toBe(true),
  },
  'installContainer body Environment.Id': anEnvironmentId,
  'installContainer body Environment.Source': sourceUrl,
  'installContainer body Environment.Variables[0].Name': environmentName,
  'installContainer body Environment.Variables[0].Value': environmentValue,
  'installContainer body NetworkLinks[0].FromHost': hostName,
  'installContainer body NetworkLinks[0].ToHost': hostName,
  'linkContainers body Links[0].Id': anId,
  'linkContainers body Links[0].NetworkLinks[0].FromHost': hostName,
  'linkContainers body Links[0].NetworkLinks[0].ToHost': hostName,
  'listLinks query check': { reason: '?check is as good as ?check=1', prove: value => expect(['', '1']).toContain(value) },
  'installContainer body VolumeConfig.Volumes[0].Path': volume,
  'installContainer body VolumeConfig.VolumeMounts[0].Path': mountSource,
  'installContainer body VolumeConfig.VolumeMounts[0].HostPath': mountTarget,
  'installContainer body SystemdSlice': emptyOnly,
  'installContainer body Restart': emptyOnly,
  'installContainer body UserNamespace': emptyOnly,
  'installContainer body SeccompProfile': {
    reason: 'a path may hold anything but a control character, a colon and a comma; in the unit it is quoted',
    prove: path => {
      const plain = { argument: 'seccomp=/plain', wish: { SeccompProfile: '/plain' } }
      if (path !== '') proveArgument(`seccomp=${path}`, { SeccompProfile: path }, plain)
    },
  },
  'createRepository query source': cloneUrl,
  'createRepository body CloneUrl': cloneUrl,
  'createRepository body HostKey': emptyOnly,
  'createRepository query progress': { reason: '?progress is as good as ?progress=1', prove: value => expect(['', '1']).toContain(value) },
  'archiveRepository params ref': {
    reason: 'a name that git takes, or a commit before it, given to git after --end-of-options',
    prove: value => expect(value).toMatch(/^[^-/.~^:?*[\\\s][^~^:?*[\\\s]*([~^]\d{0,4})*$/),
  },
  'installContainer body Engine': emptyOnly,
  'createRepository body Engine': emptyOnly,
  'createRepository body Githost': {
    reason: 'an image, or empty for none',
    prove: value => expect(value).toMatch(/^(?:[a-z0-9][a-z0-9._/:@-]*)?$/),
  },
  'listImages query engine': emptyOnly,
  'getEnvironment params id': anEnvironmentId,
  'putEnvironment params id': anEnvironmentId,
  'patchEnvironment params id': anEnvironmentId,
  'putEnvironment body Id': anEnvironmentId,
  'putEnvironment body Source': sourceUrl,
  'putEnvironment body Variables[0].Name': environmentName,
  'putEnvironment body Variables[0].Value': environmentValue,
  'patchEnvironment body Id': anEnvironmentId,
  'patchEnvironment body Source': { ...sourceUrl, reason: 'not fetched at all' },
  'patchEnvironment body Variables[0].Name': environmentName,
  'patchEnvironment body Variables[0].Value': environmentValue,
  'params fingerprint': {
    reason: 'a fingerprint has only characters that mean nothing in paths and URLs',
    prove: value => expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/),
  },
  'query container': anId,
  'query repository': anId,
  'execContainer body Command[0]': {
    reason: 'one word in the list that the engine gets, which no shell reads',
    prove: value => expect(value).not.toMatch(/\0/),
  },
  'execContainer body User': {
    reason: 'a user and a group of plain characters, or empty for the usual one',
    prove: value => expect(value).toMatch(/^[A-Za-z0-9_.:-]*$/),
  },
  'query path': containerPath,
  'writeFiles body Folder': containerPath,
  'putKeys body Keys[0].Value': publicKey,
  'putKeys body Permissions[0].Type': emptyOnly,
  'body Containers[0].Id': anId,
  'body Repositories[0].Id': anId,
  'postKeys body Keys[0].Value': publicKey,
  'postKeys body Permissions[0].Type': emptyOnly,
  'params name': {
    reason: 'a lease name has only characters that mean nothing in paths, and does not begin with a dot',
    prove: value => expect(value).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  },
  'takeLease body Holder': {
    reason: 'kept in JSON, and only ever told to people, in one line',
    prove: value => expect(value).not.toMatch(/[\p{Cc}\u2028\u2029]/u),
  },
  'takeLease body Containers[0]': {
    reason: 'compared with others of its kind, never part of a path',
    prove: value => expect(value).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  },
  'runJob body Name': { reason: 'not used at all', prove: () => undefined },
  'runJob body Image': imageName,
  'runJob body Command': {
    reason: 'one argument --entrypoint=PROGRAM of the engine, in one line, which nothing else reads',
    prove: value => expect(value).not.toMatch(/[\n\r\0]/),
  },
  'runJob body Arguments[0]': {
    reason: 'an argument behind the image, for the program in the container',
    prove: value => expect(value).not.toContain('\0'),
  },
  'buildImage body Name': { reason: 'not used at all', prove: () => undefined },
  'buildImage body Source': {
    reason: 'a path or an address that begins like no option and names no command; both are single arguments',
    prove: value => {
      const source = parseBuildSource(value)
      expect(source.kind === 'git' ? source.address : source.path).toMatch(/^(?!-)(?![^/]*::)[^\p{Cc}]+$/u)
    },
  },
  'buildImage body BaseImage': imageName,
  'buildImage body Tag': imageName,
  'buildImage body RuntimeImage': emptyOnly,
  'buildImage body CallbackUrl': sourceUrl,
  'buildImage body Ref': {
    reason: 'a name that git takes, which is no option and nothing that it computes with',
    prove: value => expect(value).toMatch(/^(?:[^-/.~^:?*[\\\s][^~^:?*[\\\s]*)?$/),
  },
  'buildImage body Scripts': {
    reason: 'a URL that is fetched as it is parsed, or a path without white space and parents',
    prove: value => expect(value).toMatch(/^(?:(?:https?|file|image):\/\/[!-~]+)?$/),
  },
  'buildImage body Environment.Source': sourceUrl,
  'buildImage body Environment.Variables[0].Name': environmentName,
  'buildImage body Environment.Variables[0].Value': environmentValue,
  'buildImage body Network': {
    reason: 'one argument --network=NAME of the engine',
    prove: value => expect(value).toMatch(/^(?:[A-Za-z0-9][A-Za-z0-9_.-]*)?$/),
  },
  'buildLog query follow': { reason: '?follow is as good as ?follow=1', prove: value => expect(['', '1']).toContain(value) },
  'deleteContainer query all': { reason: '?all is as good as ?all=1', prove: value => expect(['', '1']).toContain(value) },
  'listContainers query all': { reason: '?all is as good as ?all=1', prove: value => expect(['', '1']).toContain(value) },
  'containerLog query follow': { reason: '?follow is as good as ?follow=1', prove: value => expect(['', '1']).toContain(value) },
  'containerLog query since': {
    reason: 'one argument --since=VALUE of journalctl, which reads only a time in it',
    prove: value => expect(value).toMatch(/^[0-9A-Za-z :.+-]{1,64}$/),
  },
}

function proveStored(variable: { readonly name: string; readonly value: string }): void {
  expect(parseStoredEnvironment(printEnvironment([variable, { name: 'NEXT', value: '' }]))).toEqual([variable, { name: 'NEXT', value: '' }])
}

const proveOption = (option: string, volumeConfig: unknown) =>
  proveArgument(option, { VolumeConfig: volumeConfig }, { argument: '/plain', wish: { VolumeConfig: { Volumes: [{ Path: '/plain' }] } } })

/** The rendered unit has exactly the sections, keys and arguments of one with a plain value in the same place. */
function proveArgument(option: string, wish: object, plainOne: { readonly argument: string; readonly wish: object }): void {
  const install = contract.installContainer.body as NonNullable<typeof contract.installContainer.body>
  const paths = {
    base: '/base',
    run: '/run',
    systemd: '/systemd',
    libexec: '/usr/lib/gear/libexec',
    cgroup: '/sys/fs/cgroup',
    cloneRoot: '/srv/git',
  }
  const rendered = (wishes: object) => {
    const body = fromWire(install, { Image: 'acme/shop', ...wishes })
    const unit = parseUnitFile(
      renderUnit(specOf('shop' as Id, body, { engine: 'docker', requestId: 'request' as RequestId, ports: [] }), paths),
    )
    return { unit, argv: splitCommand(unitValues(unit, 'Service', 'ExecStartPre')[0] ?? '') }
  }
  const plain = rendered(plainOne.wish)
  const nasty = rendered(wish)
  expect(nasty.argv).toEqual(plain.argv.map(argument => (argument === plainOne.argument ? option : argument)))
  const withoutCommand = (unit: typeof plain.unit) =>
    unit.sections.map(({ name, entries }) => ({ name, entries: entries.filter(([key]) => key !== 'ExecStartPre') }))
  expect(withoutCommand(nasty.unit)).toEqual(withoutCommand(plain.unit))
}

describe('every text', () => {
  it.each(
    leaves()
      .filter(leaf => leaf.kind === 'string')
      .map(leaf => [leaf.name, leaf] as const),
  )('%s is refused, or harmless', (_, leaf) => {
    const { proof } = leaf
    for (const [name, value] of nastyValues) {
      const refused = refusal(leaf, value)
      if (refused !== undefined)
        expect(
          refused.fields.map(({ field }) => field),
          name,
        ).toContain(leaf.field)
      else {
        expect(proof, `${name} is taken without a proof that it is harmless`).toBeDefined()
        proof?.prove(value)
      }
    }
  })

  it('that has a proof is still there', () => {
    const names = new Set(leaves().flatMap(leaf => [leaf.name, leaf.name.slice(leaf.operation.length + 1)]))
    expect(Object.keys(harmless).filter(name => !names.has(name))).toEqual([])
  })

  it.each(
    leaves()
      .filter(leaf => leaf.kind === 'string')
      .map(leaf => [leaf.name, leaf] as const),
  )('%s takes none of the worst, whatever it is for', (_, leaf) => {
    for (const name of ['newline', 'carriage return', 'two lines', 'nul', 'lone surrogate', 'huge']) {
      const value = leaf.sample + (bare[name] ?? '')
      // A URL with a line break in it is one without, by the URL standard; the proof above covers it.
      if (leaf.field.endsWith('Source') && refusal(leaf, value) === undefined) continue
      // The original's client sends keys with the end of their line, which is taken off.
      if (leaf.field.endsWith('Keys[0].Value') && name === 'newline') continue
      // A script is one word of a command, and has lines.
      if (['Command[0]', 'Arguments[0]'].includes(leaf.field) && ['newline', 'carriage return', 'two lines'].includes(name)) continue
      expect(
        refusal(leaf, value)?.fields.map(({ field }) => field),
        name,
      ).toContain(leaf.field)
    }
  })
})

describe('ids', () => {
  const isOfEnvironment = ({ name, field }: { readonly name: string; readonly field: string }): boolean =>
    field === 'Environment.Id' || /^\w+Environment params/.test(name)

  it.each(['', 'abc', 'a'.repeat(25), '..ab', '.abc', '-abc', '_abc', 'ab/cd', 'ab cd', 'abcd\n', '....'])('%j is none', id => {
    for (const leaf of leaves().filter(candidate => candidate.field === 'id' || candidate.field === 'Environment.Id')) {
      if ((id === '' && leaf.field !== 'id') || (/^[-_]/.test(id) && isOfEnvironment(leaf))) continue
      expect(refusal(leaf, id)?.fields.map(({ field }) => field)).toEqual([leaf.field])
    }
  })

  it.each(['abcd', 'a'.repeat(24), '0.-_', 'shop-web.1'])('%j is one', id => {
    for (const leaf of leaves().filter(candidate => candidate.field === 'id')) expect(refusal(leaf, id)).toBeUndefined()
  })
})

describe('ports', () => {
  const install = contract.installContainer.body as NonNullable<typeof contract.installContainer.body>
  const fields = (body: Readonly<Record<string, unknown>>) => {
    const found = caught(() => fromWire(install, { Image: 'acme/shop', ...body }))
    return found?.fields.map(({ field }) => field)
  }

  it.each([-1, 65_536, 1.5, 1e300, '80', '', true, [], {}, Number.MAX_SAFE_INTEGER])('%j is none', port => {
    expect(fields({ Ports: [{ Internal: port, External: 80 }] })).toEqual(['Ports[0].Internal'])
    expect(fields({ Ports: [{ Internal: 80, External: port }] })).toEqual(['Ports[0].External'])
    expect(fields({ NetworkLinks: [{ FromPort: port }] })).toEqual(['NetworkLinks[0].FromPort'])
    expect(fields({ NetworkLinks: [{ FromPort: 80, ToPort: port }] })).toEqual(['NetworkLinks[0].ToPort'])
  })

  it.each([1, 65_535])('%i is one', port => {
    expect(fields({ Ports: [{ Internal: port, External: port }], NetworkLinks: [{ FromPort: port, ToPort: port }] })).toBeUndefined()
  })

  it('of 0 stand for one to be chosen, on the outside only', () => {
    expect(fields({ Ports: [{ Internal: 80, External: 0 }], NetworkLinks: [{ FromPort: 80, ToPort: 0 }] })).toBeUndefined()
    expect(fields({ Ports: [{ Internal: 0, External: 80 }] })).toEqual(['Ports[0].Internal'])
    expect(fields({ NetworkLinks: [{ FromPort: 0 }] })).toEqual(['NetworkLinks[0].FromPort'])
  })

  it.each<{ name: string; pairs: readonly [number, number][]; refused: boolean }>([
    {
      name: 'one internal port twice',
      pairs: [
        [80, 4000],
        [80, 4001],
      ],
      refused: true,
    },
    {
      name: 'one internal port twice, to be chosen',
      pairs: [
        [80, 0],
        [80, 0],
      ],
      refused: true,
    },
    {
      name: 'one external port twice',
      pairs: [
        [80, 4000],
        [81, 4000],
      ],
      refused: true,
    },
    {
      name: 'two to be chosen',
      pairs: [
        [80, 0],
        [81, 0],
      ],
      refused: false,
    },
    {
      name: 'one number inside and outside',
      pairs: [
        [80, 81],
        [81, 80],
      ],
      refused: false,
    },
  ])('$name', ({ pairs, refused }) => {
    const ports = pairs.map(([Internal, External]) => ({ Internal, External }))
    expect(fields({ Ports: ports })).toEqual(refused ? ['Ports'] : undefined)
  })
})

describe('lists', () => {
  it.each(lists().map(list => [list.name, list] as const))('%s has a limit', (_, { operation, path, schema }) => {
    const sample = sampleOf(schema)
    const item = Array.isArray(sample) ? sample[0] : undefined
    const longest = Math.max(limits.portsMax, limits.linksMax, limits.volumesMax, limits.variablesMax)
    const body = insert(
      contract[operation].body as Schema,
      path,
      Array.from({ length: longest + 1 }, () => item),
    )
    const found = caught(() => fromWire(contract[operation].body as never, body))
    expect(found?.fields).toContainEqual({ field: fieldName(path), rule: expect.stringMatching(/^must have at most \d+ entries$/) })
  })
})

describe('wrong types', () => {
  const wrong = {
    string: [1, true, [], {}, ['x']],
    number: ['1', '', true, [], {}, 0.5],
    boolean: ['true', '', 0, 1, [], {}],
    object: ['x', 1, true, []],
    array: ['x', 1, true, {}, { length: 1 }],
  } as const

  it.each(
    nodes('body')
      .filter(({ path }) => path.length > 0)
      .map(node => [node.name, node] as const),
  )('%s', (_, { operation, path, kind }) => {
    for (const value of wrong[kind]) {
      const body = insert(contract[operation].body as Schema, path, value)
      const found = caught(() => fromWire(contract[operation].body as never, body))
      expect(
        found?.fields.map(({ field }) => field),
        JSON.stringify(value),
      ).toContain(fieldName(path))
    }
  })

  it.each(
    nodes('body')
      .filter(({ path }) => path.length === 0)
      .map(node => [node.name, node] as const),
  )('%s', (_, { operation }) => {
    for (const value of wrong.object) expect(caught(() => fromWire(contract[operation].body as never, value))?.code).toBe('INPUT_INVALID')
  })
})

// What follows walks the contract.

type Schema = z.ZodMiniType
type Where = 'params' | 'query' | 'body'
type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array'

/** A place in the input of an operation; list items have the step 0. */
interface Node {
  readonly operation: OperationName
  readonly where: Where
  readonly name: string
  readonly path: readonly (string | 0)[]
  readonly schema: Schema
  readonly kind: Kind
}

interface Leaf extends Node {
  /** The field as an error names it. */
  readonly field: string
  readonly sample: string
  readonly proof: Proof | undefined
}

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly element?: Schema
  readonly innerType?: Schema
  readonly in?: Schema
}

function unwrapped(schema: Schema): Definition {
  const definition = schema._zod.def as Definition
  const inner = definition.innerType ?? definition.in
  return inner === undefined ? definition : unwrapped(inner)
}

function nodes(only?: Where): readonly Node[] {
  const found: Node[] = []
  for (const [operation, { params, query, body }] of Object.entries(contract) as [OperationName, Operation][]) {
    for (const [where, schema] of Object.entries({ params, query, body }) as [Where, Schema | undefined][]) {
      if (schema === undefined || (only !== undefined && where !== only)) continue
      const visit = (path: Node['path'], inner: Schema): void => {
        const { type, shape = {}, element } = unwrapped(inner)
        // What may be anything is read by the rules of its neighbour, which have a test of their own.
        if (type === 'unknown') return
        const kind = type === 'enum' ? 'string' : type
        if (!['string', 'number', 'boolean', 'object', 'array'].includes(kind)) throw new Error(`a schema of a kind nobody tests: ${kind}`)
        const name = `${operation} ${where} ${where === 'body' ? fieldName(path) : path.join('.')}`.trim()
        found.push({ operation, where, name, path, schema: inner, kind: kind as Kind })
        for (const [key, field] of Object.entries(shape)) visit([...path, key], field)
        if (element !== undefined) visit([...path, 0], element)
      }
      visit([], schema)
    }
  }
  return found
}

function leaves(): readonly Leaf[] {
  return nodes()
    .filter(({ kind }) => kind !== 'object' && kind !== 'array')
    .map(node => {
      const proof = harmless[node.name] ?? harmless[node.name.slice(node.operation.length + 1)]
      const field = node.where === 'body' ? fieldName(node.path) : node.path.join('.')
      return { ...node, field, sample: String(sampleOf(node.schema)), proof }
    })
}

function lists(): readonly Node[] {
  return nodes().filter(({ kind }) => kind === 'array')
}

function fieldName(path: Node['path']): string {
  return path.reduce<string>((text, step) => (step === 0 ? `${text}[0]` : `${text}${text === '' ? '' : '.'}${wireName(step)}`), '')
}

/** Texts and numbers among which every leaf finds one that it takes. */
const candidates: readonly unknown[] = [
  'acme1',
  'acme/shop',
  '/data',
  '512m',
  '1',
  'started',
  'container',
  'always',
  'docker',
  'authorized_keys',
  'abcdefghijklmnopqrstuv',
  'I5F2ohFZ1whUO0NF62juMIuPG5nfKTgonWPaKWpY13M',
  'http://x.example/',
  'http://x.example/shop',
  'zip',
  'NET_ADMIN',
  'auto',
  80,
  true,
  'zWJ2s4o0QnuNn2iTfyQ3bg',
  '',
]

/** Fields whose samples must differ from those of other fields, or exclude them: no two volumes have the same place. */
const samples: Readonly<Record<string, unknown>> = {
  volumes: [{ Path: '/volume' }],
  capDrop: ['KILL'],
  isolate: false,
  userNamespace: '',
  quota: '0',
}

/** A value that the schema takes, every field filled in. */
function sampleOf(schema: Schema): unknown {
  const { shape, element } = unwrapped(schema)
  if (shape !== undefined)
    return Object.fromEntries(
      Object.entries(shape).map(([key, field]) => [wireName(key), key in samples ? structuredClone(samples[key]) : sampleOf(field)]),
    )
  if (element !== undefined) return [sampleOf(element)]
  const found = candidates.find(candidate => schema.safeParse(candidate).success)
  if (found === undefined) throw new Error('no candidate fits a field: add one')
  return found
}

/** A body that is right but for the value at the path. */
function insert(schema: Schema, path: Node['path'], value: unknown): unknown {
  const root = { value: sampleOf(schema) } as Record<string, unknown>
  let parent: Record<string | number, unknown> = root
  let key: string | number = 'value'
  for (const step of path) {
    parent = parent[key] as Record<string | number, unknown>
    key = step === 0 ? 0 : wireName(step)
  }
  parent[key] = value
  return root['value']
}

/** What the agent answers to the value in this place: undefined when it takes it. Bodies pass the reader of JSON first, as on the wire. */
function refusal({ operation, where, path, field }: Leaf, value: string): GearError | undefined {
  const { params, query, body } = contract[operation] as Operation
  if (where === 'params') return caught(() => fromText(params, { ...otherParameters(params), [String(path[0])]: value }))
  if (where === 'query') return caught(() => fromText(query, { [String(path[0])]: value }))
  const text = JSON.stringify(insert(body as Schema, path, value))
  if (text.length > limits.bodyBytes) return caught(() => fromWire(body as Schema, JSON.parse(text)))
  try {
    parseFirstJson(text)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    expect(error.path).toBe(field)
    return new GearError('INPUT_INVALID', error.message, { fields: [{ field, rule: error.message }] })
  }
  return caught(() => fromWire(body as Schema, parseFirstJson(text)))
}

/** A value for every parameter of a path that has several. */
function otherParameters(params: Operation['params']): Record<string, string> {
  const shape = unwrapped(params as Schema).shape ?? {}
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, String(sampleOf(field))]))
}

function caught(read: () => unknown): GearError | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    expect(error.code).toBe('INPUT_INVALID')
    return error
  }
}
