/** `gear stop` */

import { defineCommand } from '../command.ts'
import { type DryRunFlags, dryRunFlags, toggle } from '../flags.ts'
import { startOrStop } from '../start-stop.ts'
import { UsageError } from '../usage-error.ts'

interface StopFlags extends DryRunFlags {
  readonly noWait?: boolean
  readonly wait?: boolean
}

export const command = () =>
  defineCommand<StopFlags>({
    name: 'stop',
    usage: 'NAME... [flags]',
    description: [
      'The stop is followed for at most 15 seconds, with what the container writes meanwhile. --no-wait only queues it; --wait stays until the container has stopped, however long that takes.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: ['gear stop web-1', 'gear stop --no-wait node7/web-1 node8/web-2', 'gear stop --with shop.json'],
    flags: { noWait: toggle('Only queue the stop'), wait: toggle('Wait until the containers have stopped'), ...dryRunFlags },
    aliases: { n: 'noWait' },
    takesDeployment: true,
    run: async (context, flags, args) => {
      if (flags.noWait && flags.wait) throw new UsageError('--wait and --no-wait exclude each other')
      return startOrStop(context, flags, args, {
        operation: 'stopContainer',
        verb: 'stop',
        isFollowed: !flags.noWait,
        waitFor: flags.wait ? 'stopped' : undefined,
      })
    },
  })
