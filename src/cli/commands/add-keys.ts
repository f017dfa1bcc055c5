/** `gear add-keys` */
import { GearError, limits } from '../../api/index.ts'
import { type Request, request } from '../../client/index.ts'
import { type KeyLine, printSshKey } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags, text, toggle } from '../flags.ts'
import { type KeyPlace, readKeyFile, readKeyPlaces } from '../key-arguments.ts'
import { aboutHost, runWork } from '../run.ts'
import { UsageError } from '../usage-error.ts'

interface AddKeysFlags extends DryRunFlags {
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
    argument: { placeholder: 'NAME', brief: 'A container [host[:port]/]id, or a repository repo://[host[:port]/]id', names: ['container'] },
    examples: [
      'gear add-keys web-1 --key-file ~/.ssh/id_ed25519.pub',
      'ssh-add -L | gear add-keys node7/web-1 node8/web-2',
      'gear add-keys repo://node7/shop-src --write --key-file deploy.pub',
    ],
    flags: {
      keyFile: text('FILE', 'File with the keys; - or nothing for the standard input'),
      write: toggle('Let the keys push to the repositories, too'),
      ...dryRunFlags,
    },
    run: async (context, flags, args) => {
      const groups = readKeyPlaces(args)
      const canWrite = flags.write ?? false
      if (canWrite && !groups.some(({ places }) => places.some(({ type }) => type === 'repository'))) {
        throw new UsageError('--write is for repositories: repo://[host[:port]/]id')
      }
      const keys = await readKeyFile(context, flags.keyFile)
      if (flags.dryRun) {
        const plans = groups.map(({ host, places }) => ({
          host,
          targets: requestsOf(keys, places, canWrite).map(each => ({ name: places.map(({ id }) => id).join(', '), request: each })),
        }))
        return showPlans(context, flags, plans)
      }
      return runWork(context, flags, {
        groups: groups.map(({ host, places }) => ({
          host,
          targets: [{ name: places.map(({ id }) => id).join(', '), requests: requestsOf(keys, places, canWrite) }],
        })),
        change: ({ name }, host) => ({ what: `Adding keys to ${name}`, look: aboutHost('gear keys list', host) }),
        run: async ({ task, client, signal }) => {
          for (const part of task.requests) await client.call(part, { signal })
          return { keys: keys.length }
        },
      })
    },
  })

/** A request has a limit on its body; beyond it there are several. */
function requestsOf(keys: readonly KeyLine[], places: readonly KeyPlace[], canWrite: boolean): readonly Request<'putKeys', 'text'>[] {
  const permissions = places.map(({ type, id }) => ({ type, with: type === 'repository' ? { id, write: canWrite } : id }))
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
