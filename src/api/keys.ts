/** The operations on public SSH keys: who may log in to a container, and who may reach a repository (spec §3.5 route 21, §11.1 to §11.3). */
import { isSshKeyFingerprint, soleKeyLine, sshKeyLineBytes } from '../formats/index.ts'
import { flag, id, isLine, lineRule, list, maxBytes, nothing, text, wants } from './fields.ts'
import type { ContainerId, KeyFingerprint, RepositoryId } from './ids.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

/** One public key, as the original names its form: a line of authorized_keys. Whether it is one is seen key by key, when it is stored. */
const publicKey = z.object(
  {
    type: text.check(z.refine(value => value === 'authorized_keys', wants('authorized_keys'))),
    // The original's client sends each line with its end. Whole files with one key in them, comments among their lines, are sent by hand.
    value: text.check(
      maxBytes(sshKeyLineBytes),
      z.refine(value => isLine(soleKeyLine(value) ?? value), { error: () => `${lineRule}, but for comments` }),
    ),
  },
  wants('an object with Type and Value'),
)
const publicKeys = list(publicKey, limits.keysMax).check(z.refine(keys => keys.length > 0, { error: () => 'must have at least one entry' }))

const containerIds = list(z.object({ id }, wants('an object with Id')), limits.keyPermissionsMax)
const repositoryAccess = z.object({ id, write: flag }, wants('an object with Id and Write'))
const repositoryAccesses = list(repositoryAccess, limits.keyPermissionsMax)

const keyFingerprint = z.pipe(
  text.check(z.refine(isSshKeyFingerprint, wants('the 43 characters by which gear names a key'))),
  z.transform(value => value as KeyFingerprint),
)

/** What keys are let into. What `With` must be, depends on `Type`. */
const keyPermission = z
  .object(
    {
      type: z._default(
        text.check(z.refine(value => ['', 'container', 'repository'].includes(value), wants('container or repository'))),
        '',
      ),
      with: z.unknown(),
    },
    wants('an object with Type and With'),
  )
  .check(
    z.refine(permission => readKeyPermission(permission) !== undefined, {
      path: ['with'],
      error: () => 'must be the id of a container or, with the Type repository, an object with Id and Write',
    }),
  )
const keyPermissions = list(keyPermission, limits.keyPermissionsMax)

/** What a set of keys is let into. */
export type KeyPermission =
  | { readonly type: 'container'; readonly id: ContainerId }
  | { readonly type: 'repository'; readonly id: RepositoryId; readonly write: boolean }

/** A permission of a request in inside names; undefined for one that the contract does not take. */
export function readKeyPermission({ type, with: value }: z.infer<typeof keyPermission>): KeyPermission | undefined {
  if (type === 'repository') {
    const { data } = repositoryAccess.safeParse(foldedKeys(value))
    return data === undefined ? undefined : { type, ...data }
  }
  const { data } = id.safeParse(value)
  return data === undefined ? undefined : { type: 'container', id: data }
}

/** Keys of an object that stands where anything may stand match in any case too. */
function foldedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]))
}

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
