/**
 * The style as a test (docs: ARCHITECTURE.md, CONTRIBUTING.md): floors, doors, cycles, what reaches outside, weight, unused exports, dead files,
 * comments. Prints what is wrong, one line each, and ends with 1 when something is. What has more than one right answer, such as the size of a
 * function, is not counted. That the reference is fresh, the dependency tree included, is for `tools/docs.ts --check`.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions } from './build.ts'
import * as rules from './tidy/rules.ts'
import { sourceTree } from './tidy/source-tree.ts'
import { checkWeight, weights } from './tidy/weight.ts'

const repository = new URL('..', import.meta.url).pathname

const texts = Object.fromEntries(ourFiles().map(path => [path, readFileSync(join(repository, path), 'utf8')]))
const tree = sourceTree(Object.fromEntries(Object.entries(texts).filter(([path]) => path.endsWith('.ts'))))
const { metafile } = await build({ ...bundleOptions, outdir: 'dist', write: false, sourcemap: false })

const findings = [
  ...rules.checkFloors(tree),
  ...rules.checkCycles(tree),
  ...rules.checkOutside(tree),
  ...rules.checkExports(tree),
  ...rules.checkDeadFiles(tree),
  ...rules.checkParagraphs(tree),
  ...rules.checkComments(tree),
  ...rules.checkLeftovers(texts),
  ...rules.checkHelpers(texts),
  ...weights.flatMap(weight => checkWeight(metafile, weight)),
]

for (const { path, message } of findings) process.stdout.write(`${path} ${message}\n`)
process.stdout.write(findings.length === 0 ? `tidy: ${tree.size} files\n` : `tidy: ${findings.length} findings\n`)
process.exitCode = findings.length === 0 ? 0 : 1

/** Every text file of ours, committed or about to be. Fixtures are other people's words. */
function ourFiles(): readonly string[] {
  const paths = execFileSync('git', ['-C', repository, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  })
  return paths
    .split('\0')
    .filter(
      path =>
        path !== '' &&
        path !== 'package-lock.json' &&
        !/^(LICENSE|test\/golden\/)/.test(path) &&
        statSync(join(repository, path), { throwIfNoEntry: false })?.isFile() === true,
    )
}
