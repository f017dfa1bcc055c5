/** `gear repo-key` */
import { request } from '../../client/index.ts'
import { parseLocator } from '../../formats/index.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

export const command = () =>
  defineCommand<DryRunFlags>({
    name: 'repo-key',
    usage: 'NAME... [flags]',
    description: [
      'Prints the public key with which a host clones a private repository over ssh, and makes it where there is none. Add it to the repository that is to be cloned, as a deploy key that may read; then: gear create-repo NAME git@git.example:acme/shop',
      'Every repository has a key of its own, which never leaves its host, may be there before the repository is, and goes with it. Root may put another private key into its place: $BASE/keys/clone/ID, readable for nobody else.',
    ],
    argument: { placeholder: 'NAME', brief: 'A repository: [repo://][host[:port]/]id', names: ['repository'] },
    examples: ['gear repo-key node7/shop-src', 'gear repo-key shop-src | ssh admin@git.example add-deploy-key acme/shop'],
    flags: dryRunFlags,
    run: (context, flags, args) => {
      for (const arg of args) {
        const { type } = usage('', () => parseLocator(arg, 'repo'))
        if (type !== 'repo') throw new UsageError(`repo-key is for repositories (repo://), not ${type}://`)
      }
      const groups = requestAll(readTargets(args, 'repository'), ({ id }) => ({
        request: request('makeRepositoryKey', { params: { id } }),
      }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        change: ({ id, name }) => ({ what: `The key of ${id}`, look: `gear repo-key ${name}` }),
        run: ({ task, client, signal }) => client.call(task.request, { signal }),
        show: async done => {
          for (const { value } of done) await context.out.write(`${value.publicKey}\n`)
        },
      })
    },
  })
