/**
 * Builds `dist/`: a few scripts, each read only when it is needed. `main.cjs` (src/main.ts) tells the version and loads the others: `cli.js`, the command
 * line with all that is shared, and what few commands need (the agent, deployments, YAML), which take what is shared from there. Packages are inside, so an installed gear
 * needs no `node_modules`. Beside them are `openapi.json`, made once instead of at each start, and `*.cache`, the compiled code of what a
 * command runs (`tools/code-cache.ts`). Sources keep their names and are mapped for stack traces.
 *
 * Usage: node tools/build.ts [FOLDER]
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { contract, openApiDocument } from '../src/api/index.ts'

const repository = new URL('..', import.meta.url).pathname

/** Builds beside the folder and takes its place at the end, so that a failed build leaves the last one. */
export async function buildTo(folder: string): Promise<void> {
  const fresh = `${folder}.new-${process.pid}`
  try {
    const metafiles: Metafile[] = []
    for (const options of scripts) metafiles.push((await build({ ...options, outdir: fresh })).metafile)
    writeFileSync(`${fresh}/openapi.json`, JSON.stringify(openApiDocument(contract, version())))
    writeFileSync(`${fresh}/licenses.txt`, licenses(metafiles))
    requireNothingLate(`${fresh}/cli.js`)
    for (const name of Object.values(otherScripts)) requireAscii(`${fresh}/${name}.js`)
    execFileSync(process.execPath, [...compileFlags, `${repository}tools/code-cache.ts`, fresh], { stdio: ['ignore', 'ignore', 'pipe'] })
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** Under which flags the scripts are compiled: compiled code is taken only by a V8 with the same ones. */
export const compileFlags = ['--disable-sigusr1', '--min-semi-space-size=8', '--no-concurrent-recompilation'] as const

/** How `bin/gear` starts Node for a command: `src/main.ts` takes the first flag back before anything compiled is read. */
export const commandFlags = [
  '--no-rehash-snapshot',
  '--expose-internals',
  '--disable-warning=internal/test/binding',
  ...compileFlags,
] as const

/** A module that `cli.js` imports later, but has in it, would make the bundler wrap all of them, and every command slower (decision 8). */
function requireNothingLate(path: string): void {
  const late = /__esm\(\{\s*"([^"]+)"/.exec(readFileSync(path, 'latin1'))
  if (late !== null)
    throw new Error(`${path} imports something with import() that is no script of its own (laterScripts); ${late[1]} is wrapped`)
}

/** The loader reads scripts byte by character, which is a tenth of the time that UTF-8 takes. */
function requireAscii(path: string): void {
  if (readFileSync(path).some(byte => byte > 0x7f)) throw new Error(`${path} is not plain ASCII`)
}

/** To the bundle, package.json is nothing but the version: as the original prints it (spec §2.1), with the commit that was built. */
const stampVersion: Plugin = {
  name: 'stamp-version',
  setup(building) {
    building.onLoad({ filter: /\/package\.json$/ }, ({ path }) =>
      path === `${repository}package.json` ? { contents: JSON.stringify({ version: version() }), loader: 'json' } : undefined,
    )
  },
}

function version(): string {
  const manifest = JSON.parse(readFileSync(`${repository}package.json`, 'utf8')) as { readonly version: string }
  return `version ${manifest.version}, build ${commit()}`
}

/** The commit, with `-dirty` when the sources differ from it; `unknown` outside of a git checkout. */
function commit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package-lock.json')
    return git('rev-parse', '--short=7', 'HEAD') + (changed === '' ? '' : '-dirty')
  } catch {
    return 'unknown'
  }
}

/**
 * `import('package')` finds the same names in the bundle as without it. For a CommonJS package esbuild's chunk would have a default export
 * only, while Node also finds the single ones; which, Node is asked here.
 */
const nameExports: Plugin = {
  name: 'name-exports',
  setup(building) {
    building.onResolve({ filter: /^[@\w]/ }, async ({ path, kind }) => {
      if (kind !== 'dynamic-import' || isBuiltin(path)) return undefined
      return 'module.exports' in (await import(path)) ? { path, namespace: 'named' } : undefined
    })
    building.onLoad({ filter: /.*/, namespace: 'named' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(name => name !== 'default' && name !== 'module.exports')
      return {
        contents: `import all from '${path}'; export default all; export const { ${names.join(', ')} } = all`,
        resolveDir: repository,
      }
    })
  },
}

/** Loads a script of `dist/` once. Compiled code that does not fit this V8 is passed over; a script is compiled then as any other is. */
const loader = `\
const loaded = {}
function load(name) {
  if (loaded[name] === undefined) {
    const { readFileSync } = require('node:fs')
    const path = __dirname + '/' + name
    let cachedData
    try { cachedData = readFileSync(path + '.cache') } catch {}
    const script = new (require('node:vm').Script)(readFileSync(path + '.js', 'latin1'), { filename: path + '.js', cachedData })
    const module = { exports: {} }
    script.runInThisContext()(module.exports, require, module, path + '.js', __dirname, load)
    loaded[name] = module.exports
  }
  return loaded[name]
}`

/** What scripts share: classes and tables must be the same in both, or an error of one would be a stranger to the other. */
const shared = ['src/lib/index.ts', 'src/formats/index.ts', 'src/api/index.ts', 'src/client/index.ts', 'src/cli/usage-error.ts'] as const

/** What is loaded when it is needed, by the module or package that is its beginning. */
const laterScripts = {
  'src/agent/index.ts': 'agent',
  'src/domains/deployments/index.ts': 'deployments',
  'src/cli/render/operation.ts': 'operations',
  'src/cli/render/explanation.ts': 'explanations',
  'src/cli/copy/disk.ts': 'copy',
  'modern-tar': 'tar',
  yaml: 'yaml',
} as const

const otherScripts: Readonly<Record<string, string>> = { 'src/cli/index.ts': 'cli', ...laterScripts }

/** What a client elsewhere has of them. */
export const clientScripts: readonly string[] = Object.values(otherScripts).filter(name => name !== 'agent')

/** `import('../agent/index.ts')` loads another script. */
const crossScripts: Plugin = {
  name: 'cross-scripts',
  setup(building) {
    building.onResolve({ filter: /./ }, ({ path, resolveDir, kind }) => {
      const script = otherScripts[path.startsWith('.') ? resolve(resolveDir, path).slice(repository.length) : path]
      return kind === 'dynamic-import' && script !== undefined ? { path: script, namespace: 'script' } : undefined
    })
    building.onLoad({ filter: /.*/, namespace: 'script' }, ({ path }) => ({ contents: `module.exports = load('${path}')` }))
  },
}

/** `cli.js` hands out what is shared. */
const handOutShared: Plugin = {
  name: 'hand-out-shared',
  setup(building) {
    building.onResolve({ filter: /^cli-and-shared$/ }, ({ path }) => ({ path, namespace: 'virtual' }))
    building.onLoad({ filter: /.*/, namespace: 'virtual' }, () => ({
      contents: `${shared.map((name, index) => `import * as s${index} from '${repository}${name}'`).join('\n')}
        export * from '${repository}src/cli/index.ts'
        export const shared = { ${shared.map((name, index) => `'${name}': s${index}`).join(', ')} }`,
      resolveDir: repository,
    }))
  },
}

/** The scripts that are loaded later take it from there. */
const takeShared: Plugin = {
  name: 'take-shared',
  setup(building) {
    building.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const name = resolve(resolveDir, path).slice(repository.length)
      return shared.some(each => each === name) ? { path: name, namespace: 'shared' } : undefined
    })
    building.onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({ contents: `module.exports = load('cli').shared['${path}']` }))
  },
}

/** The OpenAPI document is read instead of made, so what makes JSON Schema of schemas, a sixth of the script, stays out. */
const prebuiltOpenApi: Plugin = {
  name: 'prebuilt-openapi',
  setup(building) {
    building.onLoad({ filter: /\/src\/api\/openapi\.ts$/ }, () => ({
      contents: `export function openApiDocument() {
        return JSON.parse(process.getBuiltinModule('node:fs').readFileSync(__dirname + '/openapi.json', 'utf8'))
      }`,
    }))
    building.onLoad({ filter: /\/zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ }, ({ path }) => {
      const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => name)
      const refusal = `() => { throw new Error('gear is built without JSON Schema; see tools/build.ts') }`
      return { contents: names.map(name => `export const ${name} = ${refusal}`).join('\n') }
    })
  },
}

const common = {
  absWorkingDir: repository,
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  // Node quotes the line of an uncaught error; without line ends that would be a whole file.
  lineLimit: 140,
  sourcemap: 'linked',
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions

/** As the loader calls it. */
const asFunction = { banner: { js: '(function(exports,require,module,__filename,__dirname,load){' }, footer: { js: '})' } } as const

/** Checked as a whole by `tools/tidy.ts`: what the program reaches, without regard to scripts. */
export const bundleOptions = {
  ...common,
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  entryPoints: ['src/main.ts'],
  plugins: [nameExports, stampVersion],
} as const satisfies BuildOptions

const scripts = [
  {
    ...common,
    entryPoints: ['src/main.ts'],
    outExtension: { '.js': '.cjs' },
    banner: { js: loader },
    plugins: [crossScripts, stampVersion],
  },
  {
    ...common,
    ...asFunction,
    entryPoints: { cli: 'cli-and-shared' },
    plugins: [handOutShared, crossScripts, prebuiltOpenApi, stampVersion],
  },
  ...Object.entries(laterScripts).map(([path, name]) => ({
    ...common,
    ...asFunction,
    entryPoints: { [name]: path },
    plugins: [takeShared, crossScripts, stampVersion],
  })),
] satisfies readonly BuildOptions[]

/** The licences of the packages that are in the bundle, as most of them ask for. */
function licenses(metafiles: readonly Metafile[]): string {
  const packages = new Set(
    metafiles.flatMap(({ inputs }) => Object.keys(inputs)).flatMap(path => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  )
  return [...packages]
    .sort()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(`${repository}${folder}/package.json`, 'utf8')) as Record<string, unknown>
      const file = readdirSync(`${repository}${folder}`).find(entry => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? '' : `\n\n${readFileSync(`${repository}${folder}/${file}`, 'utf8').trim()}`
      return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildTo(process.argv[2] ?? `${repository}dist`).catch(error => {
    // What is wrong with the sources has been printed.
    if (!(error instanceof Error && 'errors' in error)) throw error
    process.exitCode = 1
  })
}
