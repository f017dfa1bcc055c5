/** `gear keys list` and `gear keys remove` */
import { GearError, keyAccessText, type Plan, type StoredKey } from '../../api/index.ts'
import { type Client, planOf, request } from '../../client/index.ts'
import { printTable, sshKeyFingerprint } from '../../formats/index.ts'
import { type HostTargets, readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { planText } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, repeated, text, toggle } from '../flags.ts'
import { type KeyPlace, readKeyFile, readKeyPlaces } from '../key-arguments.ts'
import { aboutHost, runWork } from '../run.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

interface KeysFlags extends DryRunFlags {
  readonly keyFile?: string
  readonly fingerprint?: readonly string[]
  readonly everywhere?: boolean
}

const verbs = { list: ['host'], remove: ['container'] } as const

export const command = () =>
  defineCommand<KeysFlags>({
    name: 'keys',
    usage: 'list [HOST...] | remove NAME... [flags]',
    description: [
      'list prints a line per key: FINGERPRINT SERVER SHA256 KIND ACCESS. Comments are not kept, so compare SHA256 with what ssh-keygen -l says of yours.',
      'remove takes the keys of a file, or those named by either fingerprint, out of containers and repositories or, with --everywhere, out of everything on hosts. Nobody logs in with them any more, and the connections of those accounts end at once.',
    ],
    argument: {
      placeholder: 'WORD',
      brief: 'list and hosts, or remove and containers ([host[:port]/]id) or repositories (repo://[host[:port]/]id)',
      verbs,
    },
    examples: [
      'gear keys list node7',
      'gear keys remove node7/web-1 --key-file leaver.pub',
      'gear keys remove web-1 --fingerprint SHA256:QuTOrlh+pJPkcN3lmmp5VTpTcTQ9M7Gf8gYAlTntgj4',
      'gear keys remove --everywhere node7 node8 --key-file leaver.pub',
    ],
    flags: {
      keyFile: text('FILE', 'For remove: file with the keys; - for the standard input'),
      fingerprint: repeated(
        'FINGERPRINT',
        'For remove: a key, by the name gear gives it or by the SHA256 of ssh-keygen -l',
        input => input,
      ),
      everywhere: toggle('For remove: out of everything on the hosts that are named, or on this machine'),
      ...dryRunFlags,
    },
    flagNames: { fingerprint: 'fingerprint' },
    run: async (context, flags, [word, ...args]) => {
      if (word === 'list') return list(context, flags, args)
      if (word === 'remove') return remove(context, flags, args)
      const hint = word === undefined ? '' : `${word} is neither${didYouMean(word, Object.keys(verbs))}; `
      throw new UsageError(`${hint}say what to do: list [HOST...], or remove NAME... with --key-file or --fingerprint`)
    },
  })

function list(context: Context, flags: CommonFlags, args: readonly string[]): Promise<number> {
  return runWork(context, flags, {
    groups: readHosts(args),
    run: ({ client, signal }) => client.call(request('listKeys', {}), { signal }),
    show: async done => {
      const rows = done.flatMap(({ host, value }) =>
        value.keys.map(key => [key.fingerprint, host, key.sha256, key.algorithm, keyAccessText(key)]),
      )
      await context.out.write(printTable(['FINGERPRINT', 'SERVER', 'SHA256', 'KIND', 'ACCESS'], rows))
    },
  })
}

interface Removal {
  readonly name: string
  /** Undefined for everything. */
  readonly place: KeyPlace | undefined
}

async function remove(context: Context, flags: KeysFlags & CommonFlags, args: readonly string[]): Promise<number> {
  const names = flags.fingerprint ?? []
  if ((names.length === 0) === (flags.keyFile === undefined)) throw new UsageError('remove needs --key-file or --fingerprint, and not both')
  const groups = flags.everywhere ? everywhere(args) : removals(args)
  const fingerprints =
    flags.keyFile === undefined ? names : (await readKeyFile(context, flags.keyFile)).map(({ key }) => sshKeyFingerprint(key))
  if (flags.dryRun) {
    return runWork(context, flags, {
      groups,
      run: async ({ task: { place }, client, signal }): Promise<Plan> => {
        const query = place === undefined ? {} : { [place.type]: place.id }
        const steps: Plan['steps'] = []
        for (const given of fingerprints) {
          const fingerprint = await resolve(client, given, signal)
          const plan = await client.call(planOf(request('deleteKey', { params: { fingerprint }, query })), { signal })
          steps.push(...plan.steps)
        }
        return { steps }
      },
      show: async done => context.out.write(done.map(({ task, value }) => planText(task.name, value)).join('')),
    })
  }
  return runWork(context, flags, {
    groups,
    change: ({ name }, host) => ({ what: `Removing keys from ${name}`, look: aboutHost('gear keys list', host) }),
    run: async ({ task: { name, place }, client, signal, say }) => {
      const query = place === undefined ? {} : { [place.type]: place.id }
      for (const given of fingerprints) {
        const fingerprint = await resolve(client, given, signal)
        await client.call(request('deleteKey', { params: { fingerprint }, query }), { signal })
        await say(`Removed ${given} from ${name}\n`)
      }
      return { keys: fingerprints.length }
    },
  })
}

function everywhere(args: readonly string[]): readonly HostTargets<Removal>[] {
  return readHosts(args).map(({ host }) => ({ host, targets: [{ name: 'everything', place: undefined }] }))
}

function removals(args: readonly string[]): readonly HostTargets<Removal>[] {
  return readKeyPlaces(args).map(({ host, places }) => ({
    host,
    targets: places.map(place => ({ name: place.type === 'repository' ? `repo://${place.id}` : place.id, place })),
  }))
}

/** The name of a key, of which the user may know only what ssh-keygen calls it. */
async function resolve(client: Client, given: string, signal: AbortSignal): Promise<string> {
  if (!given.startsWith('SHA256:')) return given
  const { keys } = await client.call(request('listKeys', {}), { signal })
  const found = keys.find((key: StoredKey) => key.sha256 === given)
  if (found === undefined) throw new GearError('KEY_UNKNOWN', `The key ${given} is not stored on this host`)
  return found.fingerprint
}
