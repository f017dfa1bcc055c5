/** `gear env` */
import { request } from '../../client/index.ts'
import { parseStoredEnvironment } from '../../formats/index.ts'
import { wholeText } from '../answers.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand({
    name: 'env',
    usage: 'NAME... [flags]',
    description: ['Prints each environment as it is stored: one NAME=VALUE a line.'],
    argument: { placeholder: 'NAME', brief: 'An environment: [host[:port]/]id; no host means this machine', names: ['environment'] },
    examples: ['gear env shop-env', 'gear env --output json node7/shop-env'],
    flags: {},
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: requestAll(readTargets(args, 'environment'), ({ id }) => ({ request: request('getEnvironment', { params: { id } }) })),
        run: async ({ task, client, signal }) => {
          const text = await wholeText(await client.call(task.request, { signal }))
          return flags.output === 'json' ? { variables: parseStoredEnvironment(text) } : { text }
        },
        show: done => context.out.write(done.map(({ value }) => value.text ?? '').join('')),
      }),
  })
