/**
 * Writes the reference in `docs/reference/` from the sources: the contract, the error catalogue, the limits, the settings, the commands and the
 * lock file; and `docs/performance.md` with its pictures from what the benches found. What is there beside these pages is taken away.
 *
 * Usage: node tools/docs.ts [--check]      --check writes nothing and ends with 1 when a page is not as it would be written
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { readRecords } from '../bench/records.ts'
import { performancePages } from '../bench/report.ts'
import { settingsTable } from '../src/agent/index.ts'
import { contract, errorCatalogue, errorNotes, limitTable, type Operation } from '../src/api/index.ts'
import { openApiDocument } from '../src/api/openapi.ts'
import { cliPage } from './docs/cli.ts'
import { dependenciesPage } from './docs/dependencies.ts'
import { httpPage, type OpenApi } from './docs/http.ts'
import { manualPages } from './docs/man.ts'
import { configurationPage, errorPage, errorsPage, limitsPage } from './docs/tables.ts'

const repository = new URL('..', import.meta.url).pathname
const docs = join(repository, 'docs')

const isCheck = process.argv.includes('--check')
const wanted = await pages()
const found = readPages()
const stale = [...new Set([...wanted.keys(), ...found.keys()])].filter(name => wanted.get(name) !== found.get(name))

if (isCheck) {
  for (const name of stale) process.stdout.write(`docs/${name} is not what it is made from: npm run docs\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const name of stale) {
    const text = wanted.get(name)
    if (text === undefined) rmSync(join(docs, name))
    else {
      mkdirSync(dirname(join(docs, name)), { recursive: true })
      writeFileSync(join(docs, name), text)
    }
    process.stdout.write(`docs/${name}\n`)
  }
}

/** By their paths in `docs/`. */
async function pages(): Promise<ReadonlyMap<string, string>> {
  const reference = [...(await referencePages())].map(([name, text]): [string, string] => [`reference/${name}`, text])
  return new Map([...reference, ...performancePages(readRecords())])
}

async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const { version } = readJson('package.json') as { readonly version: string }
  const document = openApiDocument(contract, version) as unknown as OpenApi
  return new Map([
    ['openapi.json', `${JSON.stringify(document, null, 2)}\n`],
    ['http.md', httpPage(document)],
    ['errors.md', errorsPage(errorCatalogue)],
    ...errorPages(),
    ['limits.md', limitsPage(limitTable)],
    ['configuration.md', configurationPage(settingsTable())],
    ['cli.md', await cliPage(version)],
    ...manualPages(version).map(([name, text]): [string, string] => [`man/${name}`, text]),
    ['dependencies.md', dependenciesPage(readJson('package-lock.json') as Parameters<typeof dependenciesPage>[0])],
  ])
}

/** One for every code. */
function errorPages(): readonly (readonly [string, string])[] {
  const operations = Object.values(contract) as Operation[]
  return Object.entries(errorCatalogue).map(([code, entry]) => {
    const answering = operations.filter(({ errors }) => (errors as readonly string[]).includes(code)).map(({ id }) => id)
    return [`errors/${code}.md`, errorPage(code, entry, { note: errorNotes[code as keyof typeof errorNotes], answering })]
  })
}

function readPages(): ReadonlyMap<string, string> {
  const names = ['reference', 'performance'].flatMap(filesIn).filter(name => name !== 'performance/findings.json')
  return new Map([...names, 'performance.md'].map(name => [name, readFileSync(join(docs, name), 'utf8')]))
}

function filesIn(folder: string): readonly string[] {
  mkdirSync(join(docs, folder), { recursive: true })
  const files = readdirSync(join(docs, folder), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.map(({ parentPath, name }) => relative(docs, join(parentPath, name)))
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(repository, path), 'utf8'))
}
