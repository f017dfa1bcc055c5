/** `gear delete` */
import { request } from '../../client/index.ts'
import { sayAnswer } from '../answers.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'

interface DeleteFlags extends DryRunFlags {
  readonly all?: boolean
}

export const command = () =>
  defineCommand<DeleteFlags>({
    name: 'delete',
    usage: 'NAME... [flags]',
    description: [
      'Removes the unit, the ports and the links of containers, and stops them first. Their environments and data volumes stay, so that an install under the same name finds them again, unless --all is given. A container that does not exist is no error.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: ['gear delete web-1', 'gear delete --all node7/web-1', 'gear delete --with shop.json'],
    flags: { all: toggle('Remove the environment and the data volumes too'), ...dryRunFlags },
    takesDeployment: true,
    run: (context, flags, args) => {
      const groups = requestAll(readTargets(args, 'container'), ({ id }) => ({
        request: request('deleteContainer', { params: { id }, query: { all: flags.all ?? false } }),
      }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        change: ({ id, name }) => ({ what: `The deletion of ${id}`, look: `gear status ${name}` }),
        run: async ({ task, client, signal, say }) => {
          await sayAnswer(await client.call(task.request, { signal }), say)
          await say(`Deleted ${task.id}\n`)
          return {}
        },
      })
    },
  })
