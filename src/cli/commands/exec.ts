/** `gear exec` */
import { defineCommand } from '../command.ts'
import { text, toggle } from '../flags.ts'
import { runIn } from '../run-in.ts'
import { UsageError } from '../usage-error.ts'

interface ExecFlags {
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly user?: string
}

export const command = () =>
  defineCommand<ExecFlags>({
    name: 'exec',
    usage: '[flags] NAME -- COMMAND [ARGUMENT...]',
    description: [
      'Runs a command in a running container, as the account of an isolated container and otherwise as the user of the container, and ends with its exit code; 125 when it could not be run, 130 when it was interrupted, which ends it. No shell reads the command.',
    ],
    argument: {
      placeholder: 'NAME',
      brief: 'A container [host[:port]/]id, then --, then the command and its arguments',
      names: ['container'],
    },
    examples: ['gear exec web-1 -- ls -la /data', 'gear exec -i node7/db-1 -- psql < dump.sql', 'gear exec -it web-1 -- /bin/sh'],
    exitCodes: [
      ['0 to 255', 'What the command in the container ended with.'],
      ['125', 'It could not be run.'],
      ['1', 'Something was used wrongly.'],
    ],
    flags: {
      interactive: toggle('Pass on the standard input'),
      tty: toggle('Give the command a terminal; needs one here'),
      user: text('USER', 'Run as this user of the container: NAME or UID, with :GROUP or not'),
    },
    aliases: { i: 'interactive', t: 'tty' },
    run: (context, flags, [name, ...words]) => {
      if (name === undefined || words.length === 0) throw new UsageError('give a container and a command: NAME -- COMMAND [ARGUMENT...]')
      return runIn(context, flags, { name, words, hasInput: flags.interactive ?? false, hasTerminal: flags.tty ?? false, user: flags.user })
    },
  })
