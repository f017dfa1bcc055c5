/** `gear status` */
import { request } from '../../client/index.ts'
import { wholeText } from '../answers.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'

/** Between the reports of several containers (spec §2.3). */
const separator = '\n-------------\n'
/** Log lines in a report for programs; as many as `systemctl status` shows. */
const lines = 10

export const command = () =>
  defineCommand({
    name: 'status',
    usage: 'NAME... [flags]',
    description: [
      'Prints what `systemctl status` says of the unit: its state and its last log lines. The exit code is 1 when a container does not exist.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: [
      'gear status web-1',
      'gear status node7/web-1 node8/web-2',
      'gear status --output json web-1',
      'gear status --with shop.json',
    ],
    flags: {},
    takesDeployment: true,
    run: (context, flags, args) => {
      const targets = readTargets(args, 'container')
      if (flags.output === 'json') {
        const groups = requestAll(targets, ({ id }) => ({
          request: request('containerStatus', { params: { id }, query: { lines } }, 'data'),
        }))
        return runWork(context, flags, {
          groups,
          run: async ({ task, client, signal }) => ({ status: await client.call(task.request, { signal }) }),
        })
      }
      const groups = requestAll(targets, ({ id }) => ({ request: request('containerStatus', { params: { id } }) }))
      return runWork(context, flags, {
        groups,
        run: async ({ task, client, signal }) => ({ text: await wholeText(await client.call(task.request, { signal })) }),
        show: done => context.out.write(done.map(({ value }) => value.text).join(separator)),
      })
    },
  })
