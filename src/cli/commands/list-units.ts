/** `gear list-units`, also `gear list` */

import type { ListedContainer } from '../../api/index.ts'
import { request } from '../../client/index.ts'
import { globPattern, type LocatorHost, parseHost, printHost, printTable } from '../../formats/index.ts'
import { compareText } from '../../lib/index.ts'
import type { HostTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { parsed, repeated, toggle } from '../flags.ts'
import { runWork } from '../run.ts'
import { didYouMean, UsageError, usage } from '../usage-error.ts'
import { watchHosts } from '../watch.ts'

interface ListFlags {
  readonly all?: boolean
  readonly quiet?: boolean
  readonly state?: readonly (readonly string[])[]
  readonly failed?: boolean
  readonly watch?: boolean
  readonly interval?: number
}

/** A container on a host. */
interface Row {
  readonly host: string
  readonly container: ListedContainer
}

interface Listed {
  readonly containers: readonly ListedContainer[]
}

export const command = () =>
  defineCommand<ListFlags>({
    name: 'list-units',
    usage: '[HOST...] [NAME-PATTERN...] [flags]',
    description: [
      'Prints one line per container, sorted by id: ID SERVER ACTIVE SUB LOAD TYPE. Without --all only those that systemd has loaded, which stopped ones need not be. Hosts that fail do not keep the others from being listed.',
      'A word with * ? or [ in it is a pattern of ids, on every host or, after a host and a slash, on that one. --state and --failed show only containers in such a state, installed ones that are not loaded among them.',
    ],
    argument: { placeholder: 'HOST', brief: 'host[:port]; none means this machine. Or a pattern: [host[:port]/]web-*', names: ['host'] },
    examples: [
      'gear list-units --all',
      'gear list -q node7 node8',
      "gear list 'web-*' node7 'node8/db-*' --state active,activating",
      'gear list --failed --watch node7 node8',
      'gear stop $(gear list -q node7)',
    ],
    flags: {
      all: toggle('List every installed container'),
      quiet: toggle('Print only names that other commands take: [host[:port]/]id'),
      state: repeated('STATES', 'Only containers in one of these states, ACTIVE or SUB: active,failed,auto-restart,...', statesOf),
      failed: toggle('Only containers that failed; the same as --state failed,auto-restart'),
      watch: toggle('Show the list again and again until interrupted'),
      interval: parsed('SECONDS', 'With --watch: how long to wait between two looks (2)', secondsOf),
    },
    aliases: { a: 'all', q: 'quiet' },
    flagNames: { state: unitStates },
    run: (context, flags, args) => {
      if (flags.interval !== undefined && !flags.watch) throw new UsageError('--interval needs --watch')
      const { groups, patterns } = readWords(args)
      const states = new Set([...(flags.state?.flat() ?? []), ...(flags.failed ? ['failed', 'auto-restart'] : [])])
      const list = request('listContainers', { query: { all: (flags.all ?? false) || states.size > 0 } })
      const isShown = ({ host, container }: Row) =>
        (states.size === 0 || states.has(container.activeState) || states.has(container.subState)) &&
        (patterns.length === 0 || patterns.some(pattern => (pattern.host ?? host) === host && pattern.ids.test(container.id)))
      const chosen = (host: string, { containers }: Listed) => containers.filter(container => isShown({ host, container }))
      if (flags.watch) {
        return watchHosts(context, flags, {
          groups,
          ask: (client, signal) => client.call(list, { signal }),
          intervalMs: (flags.interval ?? 2) * 1000,
          page: views => {
            const found = views.map(({ host, value }) => ({ host, containers: value === undefined ? [] : chosen(host, value) }))
            if (flags.output === 'json') return `${JSON.stringify(found)}\n`
            return listText(rowsOf(found), flags)
          },
        })
      }
      return runWork(context, flags, {
        groups,
        run: async ({ task, client, signal }) => ({ containers: chosen(task.name, await client.call(list, { signal })) }),
        show: done => context.out.write(listText(rowsOf(done.map(({ host, value }) => ({ host, containers: value.containers }))), flags)),
      })
    },
  })

interface Pattern {
  /** Undefined for every host that is listed. */
  readonly host: string | undefined
  readonly ids: RegExp
}

function readWords(words: readonly string[]): {
  readonly groups: readonly HostTargets<{ readonly name: string }>[]
  readonly patterns: readonly Pattern[]
} {
  const hosts = new Map<string, LocatorHost>()
  const patterns: Pattern[] = []
  const add = (text: string) => {
    const host = usage('', () => parseHost(text))
    hosts.set(printHost(host), host)
    return printHost(host)
  }
  for (const word of words) {
    const slash = word.indexOf('/')
    const place = slash < 0 ? '' : word.slice(0, slash)
    const id = word.slice(slash + 1)
    // An IPv6 address has brackets, too, but no slash and nothing that stands for something else.
    const isPattern = /[*?]/.test(id) || (/\[/.test(id) && !/^\[[0-9A-Fa-f:.%]+\](:\d+)?$/.test(word))
    if (!isPattern) add(word)
    else patterns.push({ host: slash < 0 ? undefined : add(place), ids: globPattern(id) })
  }
  if (hosts.size === 0) add('')
  // A host that is named by itself is listed whole, a pattern of another one notwithstanding.
  const isWhole = words.some(word => hosts.has(word)) && patterns.every(({ host }) => host !== undefined)
  const whole = isWhole ? words.filter(word => hosts.has(word)).map(host => ({ host, ids: /^/ })) : []
  return { groups: [...hosts].map(([name, host]) => ({ host, targets: [{ name }] })), patterns: [...patterns, ...whole] }
}

function statesOf(input: string): readonly string[] {
  const states = input.split(',')
  const unknown = states.find(state => !unitStates.includes(state))
  if (unknown !== undefined) {
    throw new RangeError(
      `must be words of systemd with commas between: active,failed; ${JSON.stringify(unknown)} is none${didYouMean(unknown, unitStates)}`,
    )
  }
  return states
}

/** What systemd says of a unit and of a service: the tables unit_active_state and service_state of its source. */
const unitStates: readonly string[] = [
  ...['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating', 'maintenance', 'refreshing'],
  ...['dead', 'condition', 'start-pre', 'start', 'start-post', 'running', 'exited'],
  ...['reload', 'reload-signal', 'reload-notify', 'refresh-extensions', 'mounting'],
  ...['stop', 'stop-watchdog', 'stop-sigterm', 'stop-sigkill', 'stop-post', 'final-watchdog', 'final-sigterm', 'final-sigkill'],
  ...['dead-before-auto-restart', 'failed-before-auto-restart', 'dead-resources-pinned', 'auto-restart', 'auto-restart-queued', 'cleaning'],
]

function secondsOf(input: string): number {
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(input) ? Number(input) : Number.NaN
  if (!(seconds >= 0.2 && seconds <= 86_400)) throw new RangeError('must be a number of seconds from 0.2 to 86400')
  return seconds
}

function rowsOf(found: readonly ({ readonly host: string } & Listed)[]): readonly Row[] {
  return found
    .flatMap(({ host, containers }) => containers.map(container => ({ host, container })))
    .sort((a, b) => compareText(a.container.id, b.container.id) || compareText(a.host, b.host))
}

function listText(rows: readonly Row[], { quiet }: ListFlags): string {
  if (quiet) return rows.map(({ host, container }) => `${host === 'local' ? '' : `${host}/`}${container.id}\n`).join('')
  const cells = rows.map(({ host, container: { id, activeState, subState, loadState, jobType } }) => [
    id,
    host,
    activeState,
    subState,
    loadState,
    jobType ?? '',
  ])
  return printTable(['ID', 'SERVER', 'ACTIVE', 'SUB', 'LOAD', 'TYPE'], cells)
}

/** By code units, as the original sorts, not by the rules of a language. */
