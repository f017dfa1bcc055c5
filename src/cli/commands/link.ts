/** `gear link` */
import { GearError, type LinksOfContainer, linkCells } from '../../api/index.ts'
import { type Client, request } from '../../client/index.ts'
import { type NetworkLink, parseNetworkLinks, printTable } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { type HostTargets, readTargets, type Target } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { showPlans } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, repeated, toggle } from '../flags.ts'
import { requestAll } from '../requests.ts'
import { runWork } from '../run.ts'
import { UsageError } from '../usage-error.ts'

interface LinkFlags extends DryRunFlags {
  readonly netLinks?: readonly (readonly NetworkLink[])[]
  readonly list?: boolean
  readonly check?: boolean
}

/** The containers of a host, whose links are set with one call. */
interface HostTask {
  readonly name: string
  readonly targets: readonly Target[]
}

export const command = () =>
  defineCommand<LinkFlags>({
    name: 'link',
    usage: 'NAME... [flags]',
    description: [
      'Each container gets exactly these links instead of those it had; without --net-links it has none afterwards. A container that runs gets them at once: it is not restarted, and connections that are open stay open. One that does not run, or is not installed yet, gets them when it starts.',
      'A link whose target is not known by name yet is left out and tried again; the others are not held up by it. A name is resolved when the link is applied: one whose address changes later keeps the old one until the next start of the container, or until the same gear link once more.',
      'With --list nothing is changed: it prints the links and what became of each. With --check each link in effect is tried by a connection from inside the container, and the exit code is 1 when one does not answer.',
    ],
    argument: { placeholder: 'NAME', brief: 'A container: [host[:port]/]id; no host means this machine', names: ['container'] },
    examples: [
      'gear link web-1 -n 127.0.0.1:6379:10.1.2.3:4100',
      'gear link node7/web-1 node8/web-2 -n 5432:db.example:5432,25:localhost:25',
      'gear link web-1',
      'gear link --list --check node7/web-1 node8/web-2',
    ],
    flags: {
      netLinks: repeated('LINKS', 'Links [localhost_ip:]localport:remotehost:remoteport,...', parseNetworkLinks),
      list: toggle('Print the links instead of setting them'),
      check: toggle('With --list: see whether the targets answer'),
      ...dryRunFlags,
    },
    aliases: { n: 'netLinks' },
    run: (context, flags, args) => {
      const targets = readTargets(args, 'container')
      if (flags.check && !flags.list) throw new UsageError('--check needs --list')
      if (flags.list && flags.netLinks !== undefined) throw new UsageError('--list and --net-links exclude each other')
      return flags.list ? listLinks(context, flags, targets) : setLinks(context, flags, targets)
    },
  })

function setLinks(context: Context, flags: LinkFlags & CommonFlags, groups: readonly HostTargets<Target>[]): Promise<number> {
  const networkLinks = flags.netLinks?.flat() ?? []
  const tasks = groups.map(({ host, targets }) => ({ host, targets: [{ name: targets.map(({ name }) => name).join(' '), targets }] }))
  const requests = requestAll(tasks, task => ({ request: linkRequest(task, networkLinks) }))
  if (flags.dryRun) return showPlans(context, flags, requests)
  return runWork(context, flags, {
    groups: requests,
    change: ({ name }) => ({ what: `The linking of ${name}`, look: `gear link --list ${name}` }),
    run: async ({ task, client, signal, say }) => {
      await sayAnswer(await client.call(task.request, { signal }), say)
      const looks = { left: looksMax }
      const containers: LinksOfContainer[] = []
      for (const { id } of task.targets) containers.push(...(await settledLinks(client, id, { signal, looks })))
      await say(`${task.targets.map(({ id }) => id).join(' ')} linked\n`)
      for (const container of containers) await sayNews(container, say)
      return { containers }
    },
  })
}

function linkRequest({ targets }: HostTask, networkLinks: readonly NetworkLink[]) {
  return request('linkContainers', { body: { links: targets.map(({ id }) => ({ id, networkLinks })) } })
}

/** How often it is asked what became of links that were just set, for all containers of a host: applying a thousand takes a tenth of a second. */
const looksMax = 100
const lookMs = 50

interface Patience {
  readonly signal: AbortSignal
  readonly looks: { left: number }
}

/**
 * The links of a container once its host has applied them. When that takes long, as with names that a slow resolver knows, they are reported
 * as they are. Nothing from an agent that does not tell, as the original's.
 */
async function settledLinks(client: Client, id: string, { signal, looks }: Patience): Promise<readonly LinksOfContainer[]> {
  const list = request('listLinks', { params: { id } })
  for (;;) {
    const container = await client.call(list, { signal }).catch((error: unknown) => {
      // Links were stored for the container a moment ago, so one of ours knows it.
      if (error instanceof GearError && ['ROUTE_UNKNOWN', 'CONTAINER_UNKNOWN'].includes(error.code)) return undefined
      throw error
    })
    if (container === undefined) return []
    looks.left -= 1
    if (looks.left <= 0 || !container.links.some(link => link.state === 'pending')) return [container]
    await new Promise(resolve => setTimeout(resolve, lookMs))
  }
}

/** What is not as somebody who has just set links would think. */
async function sayNews({ id, installed, links }: LinksOfContainer, say: (text: string) => Promise<void>): Promise<void> {
  if (links.some(link => link.state === 'stored')) {
    await say(installed ? `${id} does not run: its links apply when it starts\n` : `${id} is not installed: its links wait for it\n`)
  }
  for (const link of links) {
    const [from, to, state, , problem] = linkCells(link)
    if (state === 'waiting') await say(`${id}: ${from} -> ${to} is left out for now: ${problem}; it is tried again every 15 s\n`)
    if (state === 'pending') await say(`${id}: ${from} -> ${to} is still being applied; see: gear link --list ${id}\n`)
  }
}

async function listLinks(context: Context, flags: LinkFlags & CommonFlags, groups: readonly HostTargets<Target>[]): Promise<number> {
  const isChecked = flags.check ?? false
  let isAllWell = true
  const exitCode = await runWork(context, flags, {
    groups: requestAll(groups, ({ id }) => ({ request: request('listLinks', { params: { id }, query: { check: isChecked } }) })),
    run: async ({ task, client, signal }) => {
      const { installed, links } = await client.call(task.request, { signal })
      if (links.some(link => link.answers === false || link.state === 'waiting')) isAllWell = false
      return { installed, links }
    },
    show: async done => {
      const rows = done.flatMap(({ task, value }) => value.links.map(link => [task.name, ...linkCells(link)]))
      await context.out.write(printTable(['ID', 'FROM', 'TO', 'STATE', 'ANSWERS', 'PROBLEM'], rows))
    },
  })
  return isChecked && !isAllWell ? 1 : exitCode
}
