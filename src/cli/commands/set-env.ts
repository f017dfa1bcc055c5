/** `gear set-env` */
import { request } from '../../client/index.ts'
import { sayAnswer } from '../answers.ts'
import { readTargets, splitVariables } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { readVariables } from '../environment.ts'
import { type DryRunFlags, dryRunFlags, text, toggle } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { UsageError } from '../usage-error.ts'

interface SetEnvFlags extends DryRunFlags {
  readonly envFile?: string
  readonly reset?: boolean
}

export const command = () =>
  defineCommand<SetEnvFlags>({
    name: 'set-env',
    usage: 'NAME... [VARIABLE=VALUE...] [flags]',
    description: [
      'Adds the variables to each environment; one that exists gets the new value. With --reset the environment has exactly these variables afterwards, perhaps none.',
      'Containers see the change at their next start.',
    ],
    argument: { placeholder: 'NAME', brief: 'An environment: [host[:port]/]id; arguments with = are variables', names: ['environment'] },
    examples: ['gear set-env shop-env MODE=prod LEVEL=3', 'gear set-env --reset --env-file shop.env node7/shop-env'],
    flags: {
      envFile: text('FILE', 'File with one VARIABLE=VALUE a line; arguments come after it'),
      reset: toggle('Replace the environments'),
      ...dryRunFlags,
    },
    run: async (context, flags, args) => {
      const { variables: given, others } = splitVariables(args)
      const variables = [...(await readVariables(context, flags.envFile)), ...given]
      if (variables.length === 0 && flags.envFile === undefined && !flags.reset)
        throw new UsageError('give at least one VARIABLE=VALUE, or --env-file, or --reset')
      const name = flags.reset ? 'putEnvironment' : 'patchEnvironment'
      const groups = requestAll(readTargets(others, 'environment'), ({ id }) => ({
        request: request(name, { params: { id }, body: { variables } }),
      }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        change: ({ id, name }) => ({ what: `The change of ${id}`, look: `gear env ${name}` }),
        run: async ({ task, client, signal, say }) => {
          await sayAnswer(await client.call(task.request, { signal }), say)
          return {}
        },
      })
    },
  })
