/** `gear start` */

import { defineCommand } from '../command.ts'
import { type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { startOrStop } from '../start-stop.ts'

interface StartFlags extends DryRunFlags {
  readonly wait?: boolean
}

export const command = () =>
  defineCommand<StartFlags>({
    name: 'start',
    usage: 'NAME... [flags]',
    description: [
      'The start is queued, and the command returns at once. With --wait it stays until the container runs, shows what happens meanwhile (a first start may pull its image), and tells why when it does not.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: ['gear start web-1', 'gear start --wait node7/web-1 node8/web-2', 'gear start --with shop.json'],
    flags: { wait: toggle('Wait until the containers run'), ...dryRunFlags },
    takesDeployment: true,
    run: (context, flags, args) =>
      startOrStop(context, flags, args, { operation: 'startContainer', verb: 'start', waitFor: flags.wait ? 'started' : undefined }),
  })
