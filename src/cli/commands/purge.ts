/** `gear purge` */
import { request } from '../../client/index.ts'
import { sayAnswer } from '../answers.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand<DryRunFlags>({
    name: 'purge',
    usage: '[HOST...] [flags]',
    description: ['Stops every container of the hosts and keeps it from starting at boot. Nothing is removed.'],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear purge', 'gear purge node7 node8:43273', 'gear purge --dry-run'],
    flags: { ...dryRunFlags },
    run: (context, flags, args) => {
      const groups = requestAll(readHosts(args), () => ({ request: request('purgeContainers', {}) }))
      if (flags.dryRun) return showPlans(context, flags, groups)
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
