/** `gear init-repo` */
import { asGearError, explain, idRule, isId } from '../../api/index.ts'
import { parseCloneSource } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { toggle } from '../flags.ts'
import { type RepositoryFlags, readRepositoryFlags, repositoryFlags } from '../repository-flags.ts'
import { UsageError, usage } from '../usage-error.ts'

interface InitRepoFlags extends RepositoryFlags {
  readonly remove?: boolean
  readonly notThisHost?: boolean
}

export const command = () =>
  defineCommand<InitRepoFlags>({
    name: 'init-repo',
    usage: 'ID [URL] [flags]',
    description: [
      'Makes the bare repository ID on this machine, with the account git-ID that owns it: empty, or cloned from URL. The units that `gear create-repo` starts run it; use that command instead. With --remove it takes a repository away, as `gear delete-repo` does.',
      'The exit code is 1 for wrong arguments and 2 when it failed; then nothing of the repository is left.',
    ],
    argument: { placeholder: 'ID', brief: 'The id of the repository, and the address to clone from' },
    examples: ['gear init-repo shop-src', 'gear init-repo shop-src https://git.example/acme/shop.git'],
    exitCodes: [
      ['0', 'Everything was done.'],
      ['1', 'It was used wrongly.'],
      ['2', 'It failed.'],
    ],
    flags: {
      remove: toggle('Remove the repository'),
      notThisHost: toggle('Reach no address of this host or of its local network, also when URL leads there'),
      ...repositoryFlags,
    },
    run: async (context, { remove = false, notThisHost = false, ...flags }, args) => {
      const [id = '', url, ...others] = args
      if (args.length === 0 || others.length > 0 || (remove && url !== undefined)) throw new UsageError('give an id, and at most one URL')
      if (!isId(id)) throw new UsageError(`the id ${idRule}`)
      const source = url === undefined ? undefined : usage('', () => parseCloneSource(url))
      const wishes = readRepositoryFlags(flags)
      try {
        const { workOnRepository } = await import('../../agent/index.ts')
        await workOnRepository({
          id,
          source,
          ...wishes,
          isRemoval: remove,
          mayReachHost: !notThisHost,
          say: line => void context.err.write(`${line}\n`),
        })
        return 0
      } catch (error) {
        // Without code and next step: those are told by whoever watches the unit.
        await context.err.write(`Error: ${explain(asGearError(error))}\n`)
        return 2
      }
    },
  })
