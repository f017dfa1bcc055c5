/** `gear delete-repo` */
import { request } from '../../client/index.ts'
import { parseLocator } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { readTargets } from '../arguments.ts'

import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { aboutHost, runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

export const command = () =>
  defineCommand<DryRunFlags>({
    name: 'delete-repo',
    usage: 'NAME... [flags]',
    description: [
      'Removes repositories with everything in them, their accounts, and the access of all keys to them. Pushes and clones that are under way end. A repository that does not exist is no error.',
    ],
    argument: { placeholder: 'NAME', brief: 'A repository: [repo://][host[:port]/]id', names: ['repository'] },
    examples: ['gear delete-repo shop-src', 'gear delete-repo node7/shop-src --dry-run'],
    flags: dryRunFlags,
    run: (context, flags, args) => {
      for (const arg of args) {
        const { type } = usage('', () => parseLocator(arg, 'repo'))
        if (type !== 'repo') throw new UsageError(`delete-repo removes repositories (repo://), not ${type}://`)
      }
      const groups = requestAll(readTargets(args, 'repository'), ({ id }) => ({ request: request('deleteRepository', { params: { id } }) }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        change: ({ id }, host) => ({ what: `The deletion of ${id}`, look: aboutHost('gear list-repos', host) }),
        run: async ({ task, client, signal, say }) => {
          await sayAnswer(await client.call(task.request, { signal }), say)
          await say(`Deleted ${task.id}\n`)
          return {}
        },
      })
    },
  })
