/** `gear log`, which the original did not have. */
import { GearError, limits } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { FormatError, parseDuration } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { parsed, toggle, wholeNumber } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { UsageError } from '../usage-error.ts'

interface LogFlags {
  readonly follow?: boolean
  readonly since?: string
  readonly lines?: number
}

const linesByDefault = 100

export const command = () =>
  defineCommand<LogFlags>({
    name: 'log',
    usage: 'NAME... [flags]',
    description: [
      `Prints the last ${linesByDefault} lines and ends. --lines and --since choose others; --follow goes on with new lines until it is interrupted.`,
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: [
      'gear log web-1',
      'gear log --follow --lines 10 node7/web-1',
      'gear log --since 1h30m web-1',
      'gear log --since "2026-01-31 12:00" web-1',
    ],
    flags: {
      follow: toggle('Go on with new lines as they are written'),
      since: parsed('TIME', 'Only lines from then on: a span such as 10m, a time, or today', sinceOf),
      lines: parsed('COUNT', `The last so many lines (${linesByDefault} unless --since is given)`, wholeNumber(limits.logLinesMax)),
    },
    aliases: { f: 'follow', n: 'lines' },
    run: async (context, flags, args) => {
      const { follow = false, since } = flags
      if (follow && flags.output === 'json') throw new UsageError('--follow never ends, so it cannot make one JSON document')
      const lines = flags.lines ?? (since === undefined ? linesByDefault : undefined)
      const query = { follow, ...(since === undefined ? {} : { since }), ...(lines === undefined ? {} : { lines }) }
      const groups = requestAll(readTargets(args, 'container'), ({ id }) => ({
        request: request('containerLog', { params: { id }, query }),
      }))
      return runWork(context, flags, {
        groups: follow ? eachByItself(groups) : groups,
        isLive: follow,
        run: async ({ task, client, signal, say }) => {
          await sayAnswer(await client.call(task.request, { signal }), say)
          // A log that is followed ends for the caller alone, or with the agent.
          if (follow && !signal.aborted)
            throw new GearError('HOST_UNREACHABLE', `The agent ended the log of ${task.name}: it stops, or starts anew`)
          return {}
        },
      })
    },
  })

/** Two logs of one host are followed beside each other: the first would never end. */
function eachByItself<Group extends { readonly targets: readonly unknown[] }>(groups: readonly Group[]): readonly Group[] {
  return groups.flatMap(group => group.targets.map(target => ({ ...group, targets: [target] })))
}

/** A span is a time ago in the words of journalctl; everything else goes to it as it is. */
function sinceOf(text: string): string {
  try {
    parseDuration(text)
    return `-${text}`
  } catch (error) {
    if (error instanceof FormatError) return text
    throw error
  }
}
