/**
 * Builds `dist/` from `src/main.ts`: one file per command and for the agent, each read only when it is needed, and what they share. Packages
 * are inside, so an installed gear needs no `node_modules`. Sources keep their names and are mapped for stack traces.
 *
 * `cache/` is for what Node compiles of it when it runs from there.
 *
 * Usage: node tools/build.ts [FOLDER]
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'

const repository = new URL('..', import.meta.url).pathname

/** Builds beside the folder and takes its place at the end, so that a failed build leaves the last one. */
export async function buildTo(folder: string): Promise<Metafile> {
  const fresh = `${folder}.new-${process.pid}`
  try {
    const { metafile } = await build({ ...bundleOptions, outdir: fresh })
    dropUnusedHelpers(metafile)
    writeFileSync(`${fresh}/licenses.txt`, licenses(metafile))
    mkdirSync(`${fresh}/cache`)
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
    return metafile
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/**
 * Every file imports the chunk with esbuild's own helpers for CommonJS, also those that take nothing from it; one file less is a twentieth of
 * `gear --version`. Spaces in its place keep the source maps right.
 */
function dropUnusedHelpers({ outputs }: Metafile): void {
  for (const path of Object.keys(outputs).filter(name => name.endsWith('.mjs'))) {
    const helpers =
      outputs[path]?.imports.filter(({ path: imported }) => Object.keys(outputs[imported]?.inputs ?? { none: {} }).length === 0) ?? []
    const text = readFileSync(resolve(repository, path), 'utf8')
    const unused = helpers.map(({ path: imported }) => `import"./${basename(imported)}";`)
    writeFileSync(
      resolve(repository, path),
      unused.reduce((rest, line) => rest.replace(line, ' '.repeat(line.length)), text),
    )
  }
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
 * Parts of packages that gear never reaches, by the package that is left out and what would need it. They are a third of the bundle, and two of
 * them want compiled addons. Whoever does reach one gets an error that says so.
 */
const leftOut: Readonly<Record<string, string>> = {
  ssh2: 'docker-modem, for engines behind ssh:// addresses',
  '@grpc/grpc-js': 'dockerode, for BuildKit sessions',
  '@grpc/proto-loader': 'dockerode, for BuildKit sessions',
  protobufjs: 'dockerode, for the output of BuildKit',
}

const leaveOut: Plugin = {
  name: 'leave-out',
  setup(building) {
    building.onResolve({ filter: /^[@\w]/ }, ({ path }) => (path in leftOut ? { path, namespace: 'left-out' } : undefined))
    building.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: () => function () { throw new Error('gear is built without ${path} (${leftOut[path]})') } })`,
    }))
  },
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

/** What CommonJS packages expect to find around them. `node:module` is not imported for it: that would cost a millisecond at every start. */
const commonJs = `\
const require = id => process.getBuiltinModule('node:module').createRequire(import.meta.url)(id),\
 __filename = import.meta.filename, __dirname = import.meta.dirname;`

export const bundleOptions = {
  absWorkingDir: repository,
  entryPoints: ['src/main.ts'],
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  minifySyntax: true,
  minifyWhitespace: true,
  // Node quotes the line of an uncaught error; without line ends that would be a whole file.
  lineLimit: 140,
  sourcemap: 'linked',
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  banner: { js: commonJs },
  plugins: [leaveOut, nameExports, stampVersion],
} as const satisfies BuildOptions

/** The licences of the packages that are in the bundle, as most of them ask for. */
function licenses({ inputs }: Metafile): string {
  const packages = new Set(Object.keys(inputs).flatMap(path => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
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
