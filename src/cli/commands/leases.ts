/** `gear leases` */
import { request } from '../../client/index.ts'
import { printTable } from '../../formats/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { runWork } from '../run.ts'

export const command = () =>
  defineCommand({
    name: 'leases',
    usage: '[HOST...] [flags]',
    description: [
      'Prints one line per lease: NAME SERVER HOLDER SINCE ENDS CONTAINERS. A deploy holds one on each of its hosts, under the name of its file, and keeps it while it works; meanwhile another deploy of the same is refused with LEASE_HELD.',
      'The lease of a deploy that was killed, or whose host was cut off, ends by itself at ENDS, 20 s after it was taken last.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear leases', 'gear leases node7 node8 --output json'],
    flags: {},
    run: (context, flags, args) =>
      runWork(context, flags, {
        groups: readHosts(args),
        run: ({ client, signal }) => client.call(request('listLeases', {}), { signal }),
        show: async done => {
          const rows = done.flatMap(({ host, value }) =>
            value.leases.map(({ name, holder, since, endsAt, containers }) => [
              name,
              host,
              holder,
              timeText(since),
              timeText(endsAt),
              containers.join(' '),
            ]),
          )
          await context.out.write(printTable(['NAME', 'SERVER', 'HOLDER', 'SINCE', 'ENDS', 'CONTAINERS'], rows))
        },
      }),
  })

/** `2026-01-02T10:00:00.000Z` for people. */
function timeText(at: string): string {
  return at.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
}
