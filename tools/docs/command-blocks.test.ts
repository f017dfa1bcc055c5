import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GearError } from '../../src/api/index.ts'
import { Interruption } from '../../src/cli/context.ts'
import { gear } from '../../src/cli/fake-context.ts'
import { allCommands } from '../../src/cli/index.ts'
import { commandNamed } from '../../src/cli/summaries.ts'
import type { Client } from '../../src/client/index.ts'
import { toldDocuments } from '../../test/host/told-documents.ts'
import { commandBlocks, inlineCommands, shellWords } from './command-blocks.ts'

const repository = new URL('../..', import.meta.url).pathname
const commands = allCommands()

const documents = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'packaging/client/README.txt'],
  ...readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]
const textOf = (name: string) => readFileSync(join(repository, name), 'utf8')

/** Those whose blocks are for users to type. */
const guides = documents.filter(name => name === 'README.md' || name.startsWith('docs/guide/'))

describe('command blocks', () => {
  it('are found with their excuses, and without what is printed', () => {
    const markdown = [
      ...['text', '', '```', 'gear list # all', '', 'curl a \\', '  b', '```', '<!-- not run: no internet -->', '', '```sh', 'true', '```'],
      ...['```console', '$ gear stop a', 'printed', '```', '```text', 'no command', '```'],
    ].join('\n')
    expect(commandBlocks(markdown)).toEqual([
      {
        line: 3,
        commands: [
          { line: 4, text: 'gear list # all' },
          { line: 6, text: 'curl a \\\n  b' },
        ],
        excuse: undefined,
      },
      { line: 11, commands: [{ line: 12, text: 'true' }], excuse: 'no internet' },
      { line: 14, commands: [{ line: 15, text: 'gear stop a', printed: 'printed\n' }], excuse: undefined },
    ])
  })

  it.each([
    [`gear api runJob --body '{"A": "b c"}' # why`, ['gear', 'api', 'runJob', '--body', '{"A": "b c"}']],
    ['gear completion fish > ~/x', ['gear', 'completion', 'fish']],
    ['gear log a | head -1', ['gear', 'log', 'a']],
    ['gear install a \\\n  b A="1 2"', ['gear', 'install', 'a', 'b', 'A=1 2']],
  ])('%j has these words', (text, words) => {
    expect(shellWords(text)).toEqual(words)
  })

  it.each(guides)('of %s are run by a story, or say why not', name => {
    const left = commandBlocks(textOf(name)).filter(({ excuse, commands: all }) => excuse === undefined || all.length === 0)
    const places = left.map(({ line }) => `${name}:${line}`)
    if (!toldDocuments.some(({ path }) => path === name)) expect(places).toEqual([])
    else expect(places).not.toEqual([])
  })
})

/** They work on this machine whatever the context is, so only their words and flags are looked at. */
const local: ReadonlySet<string> = new Set(['daemon', 'init', 'init-repo', 'auth-keys-command', 'build', 'cp', 'exec', 'shell'])

/** What the original had, and documents say of that there is none. */
const originals: ReadonlySet<string> = new Set(['clean', 'router', 'create-token'])

/** What the words of a command line lack to be understood. */
function unknownWords(words: readonly string[]): readonly string[] {
  const [, name = ''] = words
  if (name === 'help') return unknownWords(['gear', ...words.slice(2)])
  // A word that stands for another, or the start of a longer text.
  if (/^(?:[A-Z_]+|-.*|…|\.\.\.|)$/.test(name)) return []
  const command = commandNamed(name)
  const { flags = {}, aliases = {} } = command === undefined ? {} : (commands.get(command) ?? {})
  if (command === undefined) return originals.has(name) ? [] : [name]
  const end = words.indexOf('--')
  return words.slice(2, end < 0 ? undefined : end).filter(word => {
    const [, long, letters] = /^(?:--([a-z][\w-]*)|-([A-Za-z]+))/.exec(word) ?? []
    if (long !== undefined)
      return long !== 'help' && flags[long.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] === undefined
    return letters !== undefined && letters !== 'h' && aliases[letters.charAt(0)] === undefined
  })
}

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJFBtzrhBv3FA2Vjq4ZxXwT0LXh0J6nLLyWZ0yBFl1Yx ann@ops1\n'

/** Files that documents speak of, by what their names end in. */
const examples = new Proxy<Record<string, string>>(
  {},
  {
    get: (_, name) => {
      if (/\.pub$/.test(String(name))) return key
      if (/\.env$/.test(String(name))) return 'A=1\n'
      return '{"Containers": [{"Name": "web", "Image": "acme/web", "Count": 1}], "Instances": [{"Id": "web-1", "Image": "acme/web", "From": "web", "On": "node7"}]}'
    },
  },
)

/** Nothing that it asks of hosts gets anywhere, and what waits has been told to end. */
async function refusal(words: readonly string[]): Promise<string> {
  const away = () => Promise.reject(new GearError('HOST_UNREACHABLE', 'There are no hosts here'))
  const client: Client = { call: away, open: away, close: async () => undefined }
  const signal = AbortSignal.abort(new Interruption('SIGINT'))
  const { err } = await gear(words.slice(1), { connect: () => client, signal, files: examples, input: key })
  return /^gear(?: \S+)?: .*|\(see: gear .* --help\)$/m.exec(err)?.[0] ?? ''
}

/** The lines of a block that call gear, with the words of that call: `GEAR_X=y gear list`, `$ gear list`. */
function callsOfGear(name: string): readonly Call[] {
  return commandBlocks(textOf(name)).flatMap(({ commands: all }) => all.flatMap(({ line, text }) => callsIn(`${name}:${line}`, text)))
}

interface Call {
  readonly place: string
  readonly words: readonly string[]
}

/** What is in `$(…)` is a call of its own, and one name here. */
function callsIn(place: string, text: string): readonly Call[] {
  const inner = [...text.matchAll(/\$\(([^)]*)\)/g)].map(([, line = '']) => line)
  const lines = [text.replaceAll(/\$\([^)]*\)/g, 'web-9'), ...inner]
  const calls = lines.map(line => ({ place, words: shellWords(line.replace(/^(?:[A-Z_]+=\S* +)+/, '')) }))
  return calls.filter(({ words }) => words[0] === 'gear')
}

describe('every command line of gear in the documents', () => {
  it.each(documents)('%s: has words and flags that there are', name => {
    const inline = inlineCommands(textOf(name)).flatMap(({ line, text }) => callsIn(`${name}:${line}`, text))
    const wrong = [...inline, ...callsOfGear(name)].flatMap(({ place, words }) => {
      const unknown = unknownWords(words)
      return unknown.length === 0 ? [] : [`${place}: ${words.join(' ')}: ${unknown.join(', ')}`]
    })
    expect(wrong).toEqual([])
  })

  it.each(documents)('%s: is taken by the command itself, where it is in a block', async name => {
    const wrong: string[] = []
    for (const { place, words } of callsOfGear(name)) {
      if (local.has(words[1] ?? '')) continue
      const refused = await refusal(words)
      if (refused !== '') wrong.push(`${place}: ${words.join(' ')}: ${refused}`)
    }
    expect(wrong).toEqual([])
  })

  it('and every example of a command is taken by it', async () => {
    const wrong: string[] = []
    for (const [name, { text }] of commands) {
      for (const { place, words } of text.examples.flatMap(example => callsIn(name, example))) {
        const unknown = unknownWords(words)
        const refused = local.has(words[1] ?? '') ? '' : await refusal(words)
        if (unknown.length > 0 || refused !== '') wrong.push(`${place}: ${words.join(' ')}: ${unknown.join(', ')} ${refused}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
