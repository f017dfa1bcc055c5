/** `gear add-keys` */
import { GearError, limits } from '../../api/index.ts'
import { type Request, request } from '../../client/index.ts'
import { groupByHost, type KeyLine, parseAuthorizedKeys, parseLocator, printSshKey } from '../../formats/index.ts'
import type { HostTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { text, toggle } from '../flags.ts'
import { runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

interface AddKeysFlags {
  readonly keyFile?: string
  readonly write?: boolean
}

export const command = () =>
  defineCommand<AddKeysFlags>({
    name: 'add-keys',
    usage: 'NAME... [flags]',
    description: [
      'Lets every key of the file, or of the standard input, into each container and repository: ssh ctr-ID@HOST leads into the container, git clone git-ID@HOST:~ to the repository.',
      'The keys are public ones, one a line, as in authorized_keys or id_ed25519.pub. Options before a key are dropped. When a line is wrong nothing is sent. Keys that are there already stay as they are.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container [host[:port]/]id, or a repository repo://[host[:port]/]id' },
    examples: [
      'gear add-keys web-1 --key-file ~/.ssh/id_ed25519.pub',
      'ssh-add -L | gear add-keys node7/web-1 node8/web-2',
      'gear add-keys repo://node7/shop-src --write --key-file deploy.pub',
    ],
    flags: {
      keyFile: text('FILE', 'File with the keys; - or nothing for the standard input'),
      write: toggle('Let the keys push to the repositories, too'),
    },
    run: async (context, flags, args) => {
      const groups = readKeyTargets(args, flags.write ?? false)
      const keys = await readKeys(context, flags.keyFile)
      return runWork(context, flags, {
        groups: groups.map(({ host, targets: [target] }) => ({
          host,
          targets: target === undefined ? [] : [{ name: target.name, requests: requestsOf(keys, target.permissions) }],
        })),
        change: ({ name }) => ({ what: `Adding keys to ${name}`, look: 'gear keys list' }),
        run: async ({ task, client, signal }) => {
          for (const part of task.requests) await client.call(part, { signal })
          return { keys: keys.length }
        },
      })
    },
  })

interface KeyTarget {
  readonly name: string
  readonly permissions: readonly { readonly type: string; readonly with: unknown }[]
}

/** One target per host, with all permissions for it. */
function readKeyTargets(args: readonly string[], canWrite: boolean): readonly HostTargets<KeyTarget>[] {
  if (args.length === 0) throw new UsageError('give at least one container or repository: [host[:port]/]id or repo://[host[:port]/]id')
  const locators = args.map(arg => usage('', () => parseLocator(arg)))
  for (const { type } of locators) {
    if (type !== 'ctr' && type !== 'repo')
      throw new UsageError(`keys are for containers (ctr://) and repositories (repo://), not for ${type}://`)
  }
  if (canWrite && !locators.some(({ type }) => type === 'repo'))
    throw new UsageError('--write is for repositories: repo://[host[:port]/]id')
  return groupByHost(locators).map(group => ({
    host: group.host,
    targets: [
      {
        name: group.locators.map(({ id }) => id).join(', '),
        permissions: group.locators.map(({ type, id }) =>
          type === 'repo' ? { type: 'repository', with: { id, write: canWrite } } : { type: 'container', with: id },
        ),
      },
    ],
  }))
}

async function readKeys(context: Context, path: string | undefined): Promise<readonly KeyLine[]> {
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

/** A request has a limit on its body; beyond it there are several. */
function requestsOf(keys: readonly KeyLine[], permissions: KeyTarget['permissions']): readonly Request<'putKeys', 'text'>[] {
  const parts: string[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const { key } of keys) {
    const value = printSshKey(key)
    if (sizeBytes + value.length > limits.bodyBytes / 2 || (parts.at(-1)?.length ?? 0) === limits.keysMax) {
      parts.push([])
      sizeBytes = 0
    }
    parts.at(-1)?.push(value)
    sizeBytes += value.length + 50
  }
  return parts.map(values => {
    try {
      return request('putKeys', { body: { keys: values.map(value => ({ type: 'authorized_keys', value })), permissions } })
    } catch (error) {
      if (error instanceof GearError && error.code === 'INPUT_INVALID') throw new UsageError(error.message)
      throw error
    }
  })
}
