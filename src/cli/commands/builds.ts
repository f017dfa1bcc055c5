/** `gear builds`, which the original did not have. */
import type { BuildReport } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { printTable } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { readHosts, readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { showPlans } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

interface BuildsFlags extends DryRunFlags {
  readonly follow?: boolean
}

const verbs = { list: ['host'], log: ['build'], stop: ['build'] } as const

export const command = () =>
  defineCommand<BuildsFlags>({
    name: 'builds',
    usage: '[list [HOST...] | log BUILD... | stop BUILD...] [flags]',
    description: [
      'Lists the builds that agents were asked for: those that run and the last that have ended, the oldest first. The output of each is kept with it.',
      'A build is named by its id in that list. One that is stopped leaves nothing behind.',
    ],
    argument: { placeholder: 'ARGUMENT', brief: 'list and hosts, or log or stop and builds: [host[:port]/]id', verbs },
    examples: [
      'gear builds',
      'gear builds list node7 node8',
      'gear builds log --follow node7/zWJ2s4o0QnuNn2iTfyQ3bg',
      'gear builds stop zWJ2s4o0QnuNn2iTfyQ3bg',
    ],
    flags: { follow: toggle('With log: go on until the build has ended'), ...dryRunFlags },
    aliases: { f: 'follow' },
    run: async (context, flags, [verb = 'list', ...names]) => {
      if (verb === 'log') return showLogs(context, flags, names)
      if (verb === 'stop') return stopBuilds(context, flags, names)
      const hint = verb === 'list' ? '' : didYouMean(verb, Object.keys(verbs))
      if (hint !== '')
        throw new UsageError(`${verb} is none of list, log and stop${hint} (for a host of that name: gear builds list ${verb})`)
      if (flags.dryRun) throw new UsageError('--dry-run is for stop; the others change nothing')
      return listBuilds(context, flags, verb === 'list' ? names : [verb, ...names])
    },
  })

function listBuilds(context: Context, flags: CommonFlags, hosts: readonly string[]): Promise<number> {
  return runWork(context, flags, {
    groups: readHosts(hosts),
    run: async ({ client, signal }) => ({ builds: (await client.call(request('listBuilds', {}), { signal })).builds }),
    show: async done => {
      const rows = done.flatMap(({ host, value }) => value.builds.map(build => rowOf(host, build)))
      await context.out.write(printTable(['ID', 'SERVER', 'RESULT', 'TAG', 'BASE', 'SOURCE', 'STARTED'], rows))
    },
  })
}

function rowOf(host: string, { requestId, result, tag, baseImage, source, startedAt }: BuildReport): readonly string[] {
  return [requestId, host, result, tag, baseImage, source, startedAt.slice(0, 19).replace('T', ' ')]
}

function showLogs(context: Context, flags: BuildsFlags & CommonFlags, names: readonly string[]): Promise<number> {
  const query = { follow: flags.follow ?? false }
  return runWork(context, flags, {
    groups: requestAll(readTargets(names, 'build'), ({ id }) => ({ request: request('buildLog', { params: { build: id }, query }) })),
    isLive: flags.follow ?? false,
    run: async ({ task, client, signal, say }) => {
      await sayAnswer(await client.call(task.request, { signal }), say)
      return {}
    },
  })
}

function stopBuilds(context: Context, flags: BuildsFlags & CommonFlags, names: readonly string[]): Promise<number> {
  const groups = requestAll(readTargets(names, 'build'), ({ id }) => ({ request: request('stopBuild', { params: { build: id } }) }))
  if (flags.dryRun) return showPlans(context, flags, groups)
  return runWork(context, flags, {
    groups,
    change: ({ id, name }) => ({ what: `Stopping ${id}`, look: `gear builds log ${name}` }),
    run: async ({ task, client, signal, say }) => {
      await client.call(task.request, { signal })
      await say(`Build ${task.id} is stopped\n`)
      return {}
    },
  })
}
