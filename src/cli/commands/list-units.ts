/** `gear list-units`, also `gear list` */
import { request } from '../../client/index.ts'
import { printTable } from '../../formats/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { toggle } from '../flags.ts'
import { runWork } from '../run.ts'

interface ListFlags {
  readonly all?: boolean
  readonly quiet?: boolean
}

export const command = () =>
  defineCommand<ListFlags>({
    name: 'list-units',
    usage: '[HOST...] [flags]',
    description: [
      'Prints one line per container, sorted by id: ID SERVER ACTIVE SUB LOAD TYPE. Without --all only those that systemd has loaded, which stopped ones need not be. Hosts that fail do not keep the others from being listed.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear list-units --all', 'gear list -q node7 node8', 'gear stop $(gear list -q node7)'],
    flags: { all: toggle('List every installed container'), quiet: toggle('Print only names that other commands take: [host[:port]/]id') },
    aliases: { a: 'all', q: 'quiet' },
    run: (context, flags, args) => {
      const list = request('listContainers', { query: { all: flags.all ?? false } })
      return runWork(context, flags, {
        groups: readHosts(args),
        run: ({ client, signal }) => client.call(list, { signal }),
        show: async done => {
          const rows = done
            .flatMap(({ host, value }) => value.containers.map(container => ({ host, container })))
            .sort((a, b) => compareText(a.container.id, b.container.id) || compareText(a.host, b.host))
          if (flags.quiet) {
            await context.out.write(rows.map(({ host, container }) => `${host === 'local' ? '' : `${host}/`}${container.id}\n`).join(''))
            return
          }
          const cells = rows.map(({ host, container: { id, activeState, subState, loadState, jobType } }) => [
            id,
            host,
            activeState,
            subState,
            loadState,
            jobType ?? '',
          ])
          await context.out.write(printTable(['ID', 'SERVER', 'ACTIVE', 'SUB', 'LOAD', 'TYPE'], cells))
        },
      })
    },
  })

/** By code units, as the original sorts, not by the rules of a language. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
