/** The contract's operations on repositories, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { RepositoryDeployments } from './deploy.ts'
import type { Repositories } from './service.ts'

export function repositoryHandlers(repositories: Repositories, deployments: RepositoryDeployments) {
  return {
    createRepository: async ({ params, query, body, requestId, caller, signal, dryRun }) => ({
      text: await repositories.create({
        id: params.id,
        requestId,
        source: query.source ?? body.cloneUrl,
        build: body.build,
        githost: body.githost,
        engine: body.engine,
        hostKey: body.hostKey,
        isLive: query.progress,
        caller,
        signal,
        dryRun,
      }),
    }),
    getRepository: ({ params }) => repositories.get(params.id),
    listRepositories: async () => ({ repositories: [...(await repositories.list())] }),
    makeRepositoryKey: ({ params, dryRun }) => repositories.key({ id: params.id, dryRun }),
    deleteRepository: ({ params, requestId, signal, dryRun }) => repositories.delete({ id: params.id, requestId, signal, dryRun }),
    deployRepository: ({ params, requestId, signal, dryRun }) => deployments.deploy({ id: params.id, requestId, signal, dryRun }),
    archiveRepository: ({ params, query, mediaTypes }) => repositories.archive({ ...params, format: query.format, mediaTypes }),
  } satisfies Partial<Handlers>
}
