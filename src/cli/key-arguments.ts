/** What the commands on keys have in common: containers and repositories as arguments, and the keys in a file. */
import { groupByHost, type KeyLine, type LocatorHost, parseAuthorizedKeys, parseLocator } from '../formats/index.ts'
import type { Context } from './context.ts'
import { UsageError, usage } from './usage-error.ts'

/** A container or repository that keys are let into. */
export interface KeyPlace {
  readonly type: 'container' | 'repository'
  readonly id: string
}

export interface HostKeyPlaces {
  readonly host: LocatorHost
  readonly places: readonly KeyPlace[]
}

/** `[host[:port]/]id` for containers and `repo://[host[:port]/]id` for repositories, by host. */
export function readKeyPlaces(args: readonly string[]): readonly HostKeyPlaces[] {
  if (args.length === 0) throw new UsageError('give at least one container or repository: [host[:port]/]id or repo://[host[:port]/]id')
  const locators = args.map(arg => usage('', () => parseLocator(arg)))
  const wrong = locators.find(({ type }) => type !== 'ctr' && type !== 'repo')
  if (wrong !== undefined) throw new UsageError(`keys are for containers (ctr://) and repositories (repo://), not for ${wrong.type}://`)
  return groupByHost(locators).map(group => ({
    host: group.host,
    places: group.locators.map(({ type, id }) => ({ type: type === 'repo' ? 'repository' : 'container', id })),
  }))
}

/** The keys of a file or, with no name, `-` or `/dev/stdin`, of the standard input. The first line that is wrong ends the command. */
export async function readKeyFile(context: Context, path: string | undefined): Promise<readonly KeyLine[]> {
  const isInput = path === undefined || path === '-' || path === '/dev/stdin'
  const place = isInput ? 'standard input' : path
  const text = await (isInput ? context.readInput() : context.readTextFile(path)).catch(cause => {
    throw new UsageError(`${place} cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  })
  const keys = usage(place, () => parseAuthorizedKeys(text))
  if (keys.length === 0) throw new UsageError(`${place}: there is no key in it`)
  for (const { line, options } of keys) {
    if (options !== undefined) await context.err.write(`Warning: ${place}: line ${line}: the options before the key are dropped\n`)
  }
  return keys
}
