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
    description: ['Prints one line per repository: ID SERVER BRANCH ACCOUNT. BRANCH is the one that a clone checks out.'],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine' },
    examples: ['gear list-repos', 'gear list-repos node7 node8 --output json'],
    flags: {},
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: readHosts(args),
        run: ({ client, signal }) => client.call(request('listRepositories', {}), { signal }),
        show: async done => {
          const rows = done.flatMap(({ host, value }) =>
            value.repositories.map(({ id, branch, account }) => [id, host, branch ?? '', account]),
          )
          await context.out.write(printTable(['ID', 'SERVER', 'BRANCH', 'ACCOUNT'], rows))
        },
      }),
  })
