/** The contract's operations on repositories, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { Repositories } from './service.ts'

export function repositoryHandlers(repositories: Repositories) {
  return {
    createRepository: async ({ params, query, body, requestId, signal, dryRun }) => ({
      text: await repositories.create({ id: params.id, requestId, source: query.source ?? body.cloneUrl, signal, dryRun }),
    }),
    getRepository: ({ params }) => repositories.get(params.id),
    listRepositories: async () => ({ repositories: [...(await repositories.list())] }),
    deleteRepository: ({ params, requestId, signal, dryRun }) => repositories.delete({ id: params.id, requestId, signal, dryRun }),
    archiveRepository: ({ params, query, mediaTypes }) => repositories.archive({ ...params, format: query.format, mediaTypes }),
  } satisfies Partial<Handlers>
}
