/** The contract's link operations, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { Links } from './service.ts'

export function linkHandlers(links: Links) {
  return {
    linkContainers: ({ body, dryRun }) => links.set(body.links, dryRun),
    listLinks: ({ params, query }) => links.report(params.id, { isChecked: query.check }),
  } satisfies Partial<Handlers>
}
