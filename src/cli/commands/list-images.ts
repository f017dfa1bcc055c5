/** `gear list-images` */
import { type EngineKind, engineKinds } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { sayAnswer, wholeText } from '../answers.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { choice } from '../flags.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand<{ readonly engine?: EngineKind }>({
    name: 'list-images',
    usage: '[HOST...] [flags]',
    description: [
      'Prints the first tag of every image that the engines of the hosts have, one a line; with several hosts each line begins with its host.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear list-images', 'gear list-images node7 node8'],
    flags: { engine: choice(engineKinds, 'Of this engine, and not that of new containers') },
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: readHosts(args),
        run: async ({ client, signal, say }) => {
          const answer = await client.call(request('listImages', { query: { engine: flags.engine } }), { signal })
          if (flags.output === 'json') return { images: (await wholeText(answer)).split('\n').filter(line => line !== '') }
          await sayAnswer(answer, say)
          return {}
        },
      }),
  })
