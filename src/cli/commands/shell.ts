/** `gear shell` */
import { defineCommand } from '../command.ts'
import { text } from '../flags.ts'
import { runIn } from '../run-in.ts'
import { UsageError } from '../usage-error.ts'

interface ShellFlags {
  readonly user?: string
  readonly shell?: string
}

export const command = () =>
  defineCommand<ShellFlags>({
    name: 'shell',
    usage: 'NAME [flags]',
    description: [
      'Opens a login shell in a running container: with a terminal where this is one, else it reads commands from the standard input.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id', names: ['container'] },
    examples: ['gear shell web-1', 'gear shell node7/web-1 --user root', 'echo "ls /data" | gear shell web-1'],
    exitCodes: [
      ['0 to 255', 'What the command in the container ended with.'],
      ['125', 'It could not be run.'],
      ['1', 'Something was used wrongly.'],
    ],
    flags: {
      user: text('USER', 'Run as this user of the container'),
      shell: text('PATH', 'Another shell than /bin/sh'),
    },
    run: (context, flags, [name, ...more]) => {
      if (name === undefined || more.length > 0) throw new UsageError('give one container: [host[:port]/]id')
      const hasTerminal = context.streams.size() !== undefined
      return runIn(context, flags, { name, words: [flags.shell ?? '/bin/sh', '-l'], hasInput: true, hasTerminal, user: flags.user })
    },
  })
