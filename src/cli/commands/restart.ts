/** `gear restart` */

import { defineCommand } from '../command.ts'
import { type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { startOrStop } from '../start-stop.ts'

interface RestartFlags extends DryRunFlags {
  readonly wait?: boolean
}

export const command = () =>
  defineCommand<RestartFlags>({
    name: 'restart',
    usage: 'NAME... [flags]',
    description: [
      'The restart is queued, and the command returns at once, unless --wait is given. A restart brings changes of the unit and of the environment into effect.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: ['gear restart web-1', 'gear restart --wait node7/web-1', 'gear restart --with shop.json'],
    flags: { wait: toggle('Wait until the containers run again'), ...dryRunFlags },
    takesDeployment: true,
    run: (context, flags, args) =>
      startOrStop(context, flags, args, {
        operation: 'restartContainer',
        verb: 'restart',
        waitFor: flags.wait ? 'started' : undefined,
      }),
  })
