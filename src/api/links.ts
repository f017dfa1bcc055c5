/** The operations on network links: what looks local inside a container and is elsewhere (spec §9, route 11). */
import { containerLinks, id, nothing, queryFlag, text } from './fields.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

export const linkContainers = operation({
  id: 'linkContainers',
  method: 'POST',
  path: '/containers/links',
  summary: 'Replace the network links of containers',
  description:
    'The links are stored for every start, and a container that runs gets them at once, without a restart; connections that are open stay open. The answer comes when the links are stored and their application is queued: listLinks tells what became of each. A name that is not known yet is tried again without the agent. The containers need not exist. When one cannot be stored, those before it keep their new links.',
  params: nothing,
  query: nothing,
  body: z.object({ links: containerLinks }),
  reply: { kind: 'none' },
  errors: ['DISK_FULL', 'STORAGE_FAILED', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

/**
 * `applied`: in effect. `pending`: about to be. `waiting`: something is in the way (the problem says what), and it is tried again. `stored`: in
 * effect from the next start on. `incomplete`: it does not say where it leads yet.
 */
const linkStates = ['applied', 'pending', 'waiting', 'stored', 'incomplete'] as const

/** A link, and what became of it. */
const listedLink = z.object({
  fromHost: text,
  fromPort: z.number(),
  toHost: text,
  toPort: z.number(),
  state: z.enum(linkStates),
  /** The address that its target was resolved to when it was applied. */
  address: z.optional(text),
  /** The target took a connection from inside the container. */
  answers: z.optional(z.boolean()),
  /** Why it is not in effect, or why its target does not answer. */
  problem: z.optional(text),
})
export type ListedLink = z.infer<typeof listedLink>

/** The links of a container, which need not be installed yet. */
const linksOfContainerData = z.object({ id: text, installed: z.boolean(), links: z.array(listedLink) })
export type LinksOfContainer = z.infer<typeof linksOfContainerData>

export const listLinks = operation({
  id: 'listLinks',
  method: 'GET',
  path: '/container/{id}/links',
  summary: 'The network links of a container',
  description: 'With `check`, each link that is in effect is tried by a connection from inside the container; a target has 3 s to take it.',
  params: z.object({ id }),
  query: z.object({ check: queryFlag }),
  reply: {
    kind: 'data',
    schema: linksOfContainerData,
    table: {
      columns: ['FROM', 'TO', 'STATE', 'ANSWERS', 'PROBLEM'],
      rows: data => data.links.map(linkCells),
    },
  },
  errors: [
    'CONTAINER_UNKNOWN',
    'COMMAND_FAILED',
    'ENGINE_FAILED',
    'ENGINE_UNAVAILABLE',
    'STORAGE_FAILED',
    'SYSTEMD_FAILED',
    'SYSTEMD_UNAVAILABLE',
  ],
  effect: 'read',
  lane: 'job',
})

/** A link as a row of a table. */
export function linkCells({ fromHost, fromPort, toHost, toPort, state, answers, problem }: ListedLink): readonly string[] {
  const from = `${fromHost === '' ? '127.0.0.1' : fromHost}:${fromPort}`
  const answer = answers === undefined ? '' : answers ? 'yes' : 'no'
  return [from, `${toHost}:${toPort}`, state, answer, problem ?? '']
}
