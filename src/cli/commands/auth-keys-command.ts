/** `gear auth-keys-command` */
import { defineCommand } from '../command.ts'
import { UsageError } from '../usage-error.ts'

export const command = () =>
  defineCommand({
    name: 'auth-keys-command',
    usage: 'LOGIN',
    description: [
      'Writes the file ~/.ssh/authorized_keys of an account of gear, ctr-ID or git-ID, unless there is one, for an sshd that is set up as for the original. sshd as gear sets it up does not read it: it asks /usr/sbin/gear-auth-keys-command, which prints the same, at each login.',
      'The exit code is 1 for wrong usage and failures, 2 when there is no such account.',
    ],
    argument: { placeholder: 'LOGIN', brief: 'The account: ctr-ID or git-ID' },
    examples: ['gear auth-keys-command ctr-web-1'],
    flags: {},
    run: async (context, _flags, [login, ...more]) => {
      if (login === undefined || more.length > 0) throw new UsageError('give one account: ctr-ID or git-ID')
      const { writeAuthorizedKeys } = await import('../../agent/index.ts')
      const { exitCode, stderr } = await writeAuthorizedKeys(login)
      await context.err.write(stderr)
      return exitCode
    },
  })
