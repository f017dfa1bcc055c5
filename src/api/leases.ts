/**
 * Leases: who is working on a deployment at the moment. A host keeps a lease for somebody until it is given back or its time is over, and refuses
 * another one for the same deployment or for containers of the same names. Nothing else looks at leases.
 */
import { list, nothing, text, whole } from './fields.ts'
import type { LeaseName } from './ids.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

/** The name of a deployment, or of a container of one with the prefix of its ids. */
const leaseName = z.pipe(
  text.check(
    z.refine(value => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$/.test(value), {
      error: () => 'must be 1 to 96 characters of A-Z a-z 0-9 _ . - and start with a letter or digit',
    }),
  ),
  z.transform(value => value as LeaseName),
)

/** By which a lease knows its owner. */
const leaseToken = text.check(z.refine(value => /^[A-Za-z0-9_-]{22}$/.test(value), { error: () => 'must be 22 characters of base64url' }))

/** Who holds a lease, for people. */
const leaseHolder = text.check(
  z.refine(value => value.length <= 200 && value.isWellFormed() && /^[^\p{Cc}\u2028\u2029]+$/u.test(value), {
    error: () => 'must be one line of 1 to 200 characters',
  }),
)

const leaseParams = z.object({ name: leaseName })

export const takeLease = operation({
  id: 'takeLease',
  method: 'PUT',
  path: '/lease/{name}',
  summary: 'Take a lease on a deployment, or keep it longer',
  description:
    'Whoever deploys takes one on every host before changing anything, and takes it again with the same token while the work lasts. It ends by itself when its time is over, and with a reboot of the host.',
  params: leaseParams,
  query: nothing,
  body: z.object({
    token: leaseToken,
    holder: leaseHolder,
    containers: z._default(list(leaseName, limits.deploymentContainersMax), []),
    seconds: whole(1, limits.leaseSeconds),
  }),
  reply: { kind: 'data', schema: z.object({ name: text, holder: text, endsAt: text, renewed: z.boolean() }) },
  errors: ['LEASE_HELD', 'DISK_FULL', 'STORAGE_FAILED'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const releaseLease = operation({
  id: 'releaseLease',
  method: 'DELETE',
  path: '/lease/{name}',
  summary: 'Give a lease back',
  description: 'One that is not there, or that has another token by now, is no error.',
  params: leaseParams,
  query: z.object({ token: leaseToken }),
  reply: { kind: 'none' },
  errors: ['STORAGE_FAILED'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

/** A lease that is held. The token, with which it could be given back, is told to nobody. */
const heldLease = z.object({
  name: text,
  /** Who deploys: `user@host`. */
  holder: text,
  since: text,
  endsAt: text,
  /** The containers it is for, each with the prefix of its ids. */
  containers: z.array(text),
})

export const listLeases = operation({
  id: 'listLeases',
  method: 'GET',
  path: '/leases',
  summary: 'The leases that are held: which deployments are under way, and by whom',
  params: nothing,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({ leases: z.array(heldLease) }),
    table: {
      columns: ['NAME', 'HOLDER', 'SINCE', 'ENDS', 'CONTAINERS'],
      rows: data => data.leases.map(item => [item.name, item.holder, item.since, item.endsAt, item.containers.join(' ')]),
    },
  },
  errors: ['STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})
