/** `gear purge` */
import { request } from '../../client/index.ts'
import { printHost } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { type HostTargets, readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { showPlans } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { errorData } from '../render/errors.ts'
import { foreignText } from '../render/foreign-text.ts'
import { requestAll } from '../requests.ts'
import { clientsOf, runWork } from '../run.ts'

interface PurgeFlags extends DryRunFlags {
  readonly yes?: boolean
}

export const command = () =>
  defineCommand<PurgeFlags>({
    name: 'purge',
    usage: '[HOST...] [flags]',
    description: [
      'Stops every container of the hosts and keeps it from starting at boot. Nothing is removed.',
      'On a terminal it tells what runs and asks first, unless --yes is given. Elsewhere it goes on without a question, for scripts.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear purge', 'gear purge --yes node7 node8:43273', 'gear purge --dry-run'],
    flags: { yes: toggle('Do not ask'), ...dryRunFlags },
    aliases: { y: 'yes' },
    run: async (context, flags, args) => {
      const groups = requestAll(readHosts(args), () => ({ request: request('purgeContainers', {}) }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      const { confirm } = context
      if (!flags.yes && confirm !== undefined && !(await confirm(await question(context, flags, groups)))) {
        await context.err.write('Nothing was changed.\n')
        return 1
      }
      return runWork(context, flags, {
        groups,
        change: ({ name }) => ({ what: 'The purge', look: `gear list-units ${name}` }),
        run: async ({ task, client, signal, say }) => {
          await sayAnswer(await client.call(task.request, { signal }), say)
          await say(`Stopped and disabled every container of ${task.name}\n`)
          return {}
        },
      })
    },
  })

const namesShownMax = 5

/** What would be stopped, host by host, as far as the hosts tell. */
async function question(context: Context, flags: CommonFlags, groups: readonly HostTargets<unknown>[]): Promise<string> {
  const clients = clientsOf(context, flags, groups)
  const list = request('listContainers', { query: { all: true } })
  try {
    const lines = await Promise.all(
      groups.map(async group => {
        const host = printHost(group.host)
        try {
          const { containers } = await clients.of(host).call(list, { signal: context.signal })
          const up = containers.filter(({ activeState }) => !['inactive', 'failed'].includes(activeState)).map(({ id }) => id)
          const names = up.length === 0 ? '' : `: ${up.slice(0, namesShownMax).join(', ')}${up.length > namesShownMax ? ', …' : ''}`
          return `${host}: ${containers.length} installed, ${up.length} running${names}`
        } catch (error) {
          if (context.signal.aborted) throw error
          return `${host}: it does not tell what is there: ${errorData(error).message}`
        }
      }),
    )
    return `${foreignText(lines.join('\n'))}\nStop them all, and keep them from starting at boot?`
  } finally {
    await clients.close()
  }
}
