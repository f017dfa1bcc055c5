/** The contract's lease operations, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { Leases } from './service.ts'

export function leaseHandlers(leases: Leases) {
  return {
    takeLease: ({ params, body, dryRun }) => leases.take(params.name, body, dryRun),
    releaseLease: ({ params, query, dryRun }) => leases.release(params.name, query.token, dryRun),
    listLeases: async () => ({ leases: await leases.list() }),
  } satisfies Partial<Handlers>
}
