/** The page of what a build is made from: every package that production needs, with the packages that ask for it. A new one shows in its diff. */
import { code, page, table } from './markdown.ts'

interface LockEntry {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>
}

export function dependenciesPage({ packages }: LockFile): string {
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  const neededBy = new Map<string, string[]>()
  for (const [path, { dependencies, optionalDependencies }] of [['', packages[''] ?? {}] as const, ...production]) {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const target = resolve(packages, path, name)
      if (target !== undefined) neededBy.set(target, [...(neededBy.get(target) ?? []), path === '' ? 'gear' : nameOf(path)])
    }
  }
  const rows = production
    .map(([path, { version = '', license = '', optional }]) => {
      const needers = [...new Set(neededBy.get(path) ?? [])].sort()
      return [nameOf(path), version, optional === true ? `${license} (optional)` : license, needers.join(', ')]
    })
    .sort(([left = '', leftVersion = ''], [right = '', rightVersion = '']) => compare(left, right) || compare(leftVersion, rightVersion))
  return page(
    'Dependencies',
    `The ${rows.length} packages of \`package-lock.json\` that are not for development only. A direct one has a page in [decisions](../decisions/) when its choice could be argued about.`,
    [
      table(
        ['Package', 'Version', 'Licence', 'Needed by'],
        rows.map(([name = '', ...rest]) => [code(name), ...rest]),
      ),
    ],
  )
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** The entry that Node would find: beside the package that asks, then further up. */
function resolve(packages: LockFile['packages'], from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (folder === '') return undefined
  }
}
