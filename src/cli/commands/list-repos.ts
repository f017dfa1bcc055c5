/** `gear list-repos` */
import { request } from '../../client/index.ts'
import { printTable } from '../../formats/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand({
    name: 'list-repos',
    usage: '[HOST...] [flags]',
    description: [
      'Prints one line per repository: ID SERVER BRANCH ACCOUNT IMAGE CONTAINER. BRANCH is the one that a clone checks out; IMAGE what its pushes are built into, and CONTAINER what is restarted then.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear list-repos', 'gear list-repos node7 node8 --output json'],
    flags: {},
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: readHosts(args),
        run: ({ client, signal }) => client.call(request('listRepositories', {}), { signal }),
        show: async done => {
          const rows = done.flatMap(({ host, value }) =>
            value.repositories.map(({ id, branch, account, image, container, githost }) => [
              id,
              host,
              branch ?? '',
              account,
              image ?? '',
              container ?? '',
              githost ?? '',
            ]),
          )
          await context.out.write(printTable(['ID', 'SERVER', 'BRANCH', 'ACCOUNT', 'IMAGE', 'CONTAINER', 'GITHOST'], rows))
        },
      }),
  })
