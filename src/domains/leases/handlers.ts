/** The contract's lease operations, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { Leases } from './service.ts'

export function leaseHandlers(leases: Leases) {
  return {
    takeLease: ({ params, body }) => leases.take(params.name, body),
    releaseLease: ({ params, query }) => leases.release(params.name, query.token),
  } satisfies Partial<Handlers>
}
