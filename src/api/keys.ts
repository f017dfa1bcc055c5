/** The operations on public SSH keys: who may log in to a container, and who may reach a repository (spec §3.5 route 21, §11.1 to §11.3). */

import { containerIds, id, keyFingerprint, keyPermissions, publicKeys, repositoryAccesses, text } from './fields.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

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
  hasDryRun: true,
  lane: 'job',
} as const

export const putKeys = operation({ id: 'putKeys', method: 'PUT', path: '/keys', ...addKeys })
export const postKeys = operation({ id: 'postKeys', method: 'POST', path: '/keys', ...addKeys })

/** A stored key, and what it is let into. */
const storedKey = z.object({
  fingerprint: text,
  /** As ssh-keygen -l prints it. */
  sha256: text,
  algorithm: text,
  containers: z.array(z.object({ id: text })),
  repositories: z.array(z.object({ id: text, write: z.boolean() })),
})
export type StoredKey = z.infer<typeof storedKey>

const keyPlace = z.object({ container: z.optional(id), repository: z.optional(id) })

export const listKeys = operation({
  id: 'listKeys',
  method: 'GET',
  path: '/keys',
  summary: 'The public keys there are, and what they are let into',
  description: 'With a container or repository only the keys that are let into it; with both, into either.',
  params: nothing,
  query: keyPlace,
  reply: {
    kind: 'data',
    schema: z.object({ keys: z.array(storedKey) }),
    table: {
      columns: ['FINGERPRINT', 'SHA256', 'KIND', 'ACCESS'],
      rows: ({ keys }) => keys.map(key => [key.fingerprint, key.sha256, key.algorithm, keyAccessText(key)]),
    },
  },
  errors: ['STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})

/** What a key is let into, in one cell of a table: `web-1, repo://shop-src (write)`. */
export function keyAccessText({ containers, repositories }: StoredKey): string {
  const places = [...containers.map(({ id }) => id), ...repositories.map(({ id, write }) => `repo://${id}${write ? ' (write)' : ''}`)]
  return places.join(', ')
}

export const deleteKey = operation({
  id: 'deleteKey',
  method: 'DELETE',
  path: '/keys/{fingerprint}',
  summary: 'Take a public key out of a container, a repository, or everything',
  description:
    'Without a container and a repository the key is removed for good. The connections of the accounts it was let into end, those with other keys too: who still may log in does so again. A key that is let in nowhere any more is removed.',
  params: z.object({ fingerprint: keyFingerprint }),
  query: keyPlace,
  reply: { kind: 'none' },
  errors: ['KEY_UNKNOWN', 'COMMAND_FAILED', 'STORAGE_FAILED'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})
