/** The contract's operations on keys, carried out by the service. */
import { type Call, type CreateKeys, type Handlers, type KeyPermission, readKeyPermission } from '../../api/index.ts'
import type { Keys } from './service.ts'

export function keyHandlers(keys: Keys) {
  const add = ({ body, dryRun }: Call<unknown, unknown, CreateKeys>) =>
    keys.add(
      body.keys.map(key => key.value),
      permissionsOf(body),
      dryRun,
    )
  return {
    putKeys: add,
    postKeys: add,
    listKeys: async ({ query }) => ({ keys: [...(await keys.list(query))] }),
    deleteKey: ({ params, query, dryRun }) => keys.remove(params.fingerprint, query, dryRun),
  } satisfies Partial<Handlers>
}

/** Of all three lists. */
function permissionsOf({ permissions, containers, repositories }: CreateKeys): readonly KeyPermission[] {
  return [
    ...permissions.flatMap(permission => readKeyPermission(permission) ?? []),
    ...containers.map(({ id }) => ({ type: 'container' as const, id })),
    ...repositories.map(({ id, write }) => ({ type: 'repository' as const, id, write })),
  ]
}
