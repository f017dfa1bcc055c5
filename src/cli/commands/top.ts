/** `gear top` */

import type { UsedContainer } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { printTable } from '../../formats/index.ts'
import { compareText } from '../../lib/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { choice, parsed, toggle, wholeNumber } from '../flags.ts'
import { runWork } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { watchHosts } from '../watch.ts'

const orders = ['cpu', 'memory', 'restarts', 'id', 'state'] as const

interface TopFlags {
  readonly sort?: (typeof orders)[number]
  readonly once?: boolean
  readonly interval?: number
}

interface Sample {
  readonly atMs: number
  readonly containers: readonly UsedContainer[]
}

/** What a container needed between two samples. */
interface Row extends UsedContainer {
  readonly host: string
  /** Of one processor; undefined for one that was not there the time before. */
  readonly cpuPercent: number | undefined
}

/** Between the two samples of a single look. */
const onceMs = 1000

export const command = () =>
  defineCommand<TopFlags>({
    name: 'top',
    usage: '[HOST...] [flags]',
    description: [
      'Shows what the containers that run on the hosts need, again and again until it is interrupted, or q is pressed: state, share of a processor (200% are two), memory and its limit, automatic restarts. What needs most comes first.',
      'Where standard output is no terminal, and with --once or --output json, it looks once, for a second.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine', names: ['host'] },
    examples: ['gear top', 'gear top node7 node8 --sort memory', 'gear top --once --output json'],
    flags: {
      sort: choice(orders, 'What comes first (cpu)'),
      once: toggle('Look once, and end'),
      interval: parsed('SECONDS', 'How long to wait between two looks (2)', wholeNumber(86_400)),
    },
    run: (context, flags, args) => {
      if (flags.interval === 0) throw new UsageError('--interval must be at least 1')
      const groups = readHosts(args)
      const usage = request('containersUsage', {})
      const sort = flags.sort ?? 'cpu'
      if (!flags.once && flags.output !== 'json' && context.out.isTerminal) {
        return watchHosts<Sample>(context, flags, {
          groups,
          ask: (client, signal) => client.call(usage, { signal }),
          intervalMs: (flags.interval ?? 2) * 1000,
          page: views => {
            const rows = views.flatMap(({ host, value, previous }) => (value === undefined ? [] : rowsOf(host, previous, value)))
            return topText(rows, sort)
          },
        })
      }
      return runWork(context, flags, {
        groups,
        run: async ({ task, client, signal }) => {
          const before = await client.call(usage, { signal })
          await context.pause(onceMs)
          const after = await client.call(usage, { signal })
          return { containers: rowsOf(task.name, before, after).map(({ host: _, ...row }) => row) }
        },
        show: done => {
          const rows = done.flatMap(({ host, value }) => value.containers.map(row => ({ host, ...row })))
          return context.out.write(topText(rows, sort))
        },
      })
    },
  })

function rowsOf(host: string, before: Sample | undefined, after: Sample): readonly Row[] {
  const earlier = new Map(before?.containers.map(container => [container.id, container.cpuMs]))
  const elapsedMs = before === undefined ? 0 : after.atMs - before.atMs
  return after.containers.map(container => ({
    ...container,
    host,
    cpuPercent: shareOf(earlier.get(container.id), container.cpuMs, elapsedMs),
  }))
}

/** A counter that went back belongs to another run; a clock that stood still or was set back tells nothing. */
function shareOf(before: number | undefined, after: number | undefined, elapsedMs: number): number | undefined {
  if (before === undefined || after === undefined || after < before || elapsedMs <= 0) return undefined
  return Math.round(((after - before) / elapsedMs) * 1000) / 10
}

function topText(rows: readonly Row[], sort: (typeof orders)[number]): string {
  const cells = [...rows]
    .sort((a, b) => inOrder(a, b, sort) || compareText(a.id, b.id) || compareText(a.host, b.host))
    .map(row => [
      row.id,
      row.host,
      row.subState === 'running' ? row.activeState : `${row.activeState} (${row.subState})`,
      row.cpuPercent === undefined ? '-' : `${row.cpuPercent.toFixed(1)}%`,
      row.memoryBytes === undefined ? '-' : sizeText(row.memoryBytes),
      row.memoryMaxBytes === undefined ? '-' : sizeText(row.memoryMaxBytes),
      String(row.restarts),
    ])
  return printTable(['ID', 'SERVER', 'STATE', 'CPU', 'MEMORY', 'LIMIT', 'RESTARTS'], cells)
}

function inOrder(a: Row, b: Row, sort: (typeof orders)[number]): number {
  switch (sort) {
    case 'cpu':
      return (b.cpuPercent ?? -1) - (a.cpuPercent ?? -1)
    case 'memory':
      return (b.memoryBytes ?? -1) - (a.memoryBytes ?? -1)
    case 'restarts':
      return b.restarts - a.restarts
    case 'state':
      return compareText(a.activeState, b.activeState) || compareText(a.subState, b.subState)
    case 'id':
      return 0
  }
}

const sizes = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const

/** `12.5M`, as --memory takes it but for the fraction. */
function sizeText(bytes: number): string {
  const [letter, unit] = sizes.find(([, size]) => bytes >= size) ?? ['', 1]
  const amount = bytes / unit
  return `${amount >= 100 || Number.isInteger(amount) ? Math.round(amount) : amount.toFixed(1)}${letter}`
}
