/** `gear version` with flags; without them it is answered before any command is loaded. */
import { defineCommand } from '../command.ts'
import { UsageError } from '../usage-error.ts'

export const command = () =>
  defineCommand({
    name: 'version',
    usage: '[flags]',
    description: ['Also: gear --version.'],
    argument: undefined,
    examples: ['gear version'],
    flags: {},
    run: async (context, flags, args) => {
      if (args.length > 0) throw new UsageError('there are no arguments')
      await context.out.write(flags.output === 'json' ? `${JSON.stringify({ version: context.version })}\n` : `gear ${context.version}\n`)
      return 0
    },
  })
