/** `gear list-images` */
import { request } from '../../client/index.ts'
import { sayAnswer, wholeText } from '../answers.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand({
    name: 'list-images',
    usage: '[HOST...] [flags]',
    description: [
      'Prints the first tag of every image that the engines of the hosts have, one a line; with several hosts each line begins with its host.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear list-images', 'gear list-images node7 node8'],
    flags: {},
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: readHosts(args),
        run: async ({ client, signal, say }) => {
          const answer = await client.call(request('listImages', {}), { signal })
          if (flags.output === 'json') return { images: (await wholeText(answer)).split('\n').filter(line => line !== '') }
          await sayAnswer(answer, say)
          return {}
        },
      }),
  })
