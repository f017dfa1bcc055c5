/** The operations on public SSH keys: who may log in to a container, and who may reach a repository (spec §3.5 route 21, §11.1 to §11.3). */
import * as z from 'zod/mini'
import { containerIds, keyPermissions, publicKeys, repositoryAccesses } from './fields.ts'
import { operation } from './operation.ts'

const nothing = z.object({})

/** The original's form, and with `Containers` and `Repositories` that of its older examples. */
const createKeysBody = z
  .object({
    keys: publicKeys,
    permissions: z._default(keyPermissions, []),
    containers: z._default(containerIds, []),
    repositories: z._default(repositoryAccesses, []),
  })
  .check(
    z.refine(({ permissions, containers, repositories }) => permissions.length + containers.length + repositories.length > 0, {
      path: ['permissions'],
      error: () => 'must name at least one container or repository',
    }),
  )
export type CreateKeys = z.infer<typeof createKeysBody>

const addKeys = {
  summary: 'Add public keys, and let them into containers and repositories',
  description:
    'Options before a key are dropped. A key or permission that fails does not keep the others from being stored: the failure has a list of {"index", "message"} in Data, by the position of the key.',
  params: nothing,
  query: nothing,
  body: createKeysBody,
  reply: { kind: 'none' },
  errors: ['KEYS_FAILED', 'DISK_FULL', 'STORAGE_FAILED'],
  effect: 'idempotent',
  lane: 'job',
} as const

export const putKeys = operation({ id: 'putKeys', method: 'PUT', path: '/keys', ...addKeys })
export const postKeys = operation({ id: 'postKeys', method: 'POST', path: '/keys', ...addKeys })
