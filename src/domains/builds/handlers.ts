/** The contract's operations on builds. */
import type { Handlers } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { requestOf } from './asked.ts'
import type { Builds } from './service.ts'

export function buildHandlers(host: Host, builds: Builds) {
  return {
    buildImage: async ({ body, requestId, caller, signal, dryRun }) => {
      await builds.begin(await requestOf(host, body, { id: requestId, caller }), { dryRun })
      if (dryRun !== undefined) return { text: '' }
      return { text: await builds.follow(requestId, { isFollowing: true, isVerdictWanted: true, signal }) }
    },
    listBuilds: async () => ({ builds: [...(await builds.list())] }),
    getBuild: ({ params }) => builds.report(params.build),
    buildLog: async ({ params, query, signal }) => ({
      text: await builds.follow(params.build, { isFollowing: query.follow ?? false, isVerdictWanted: false, signal }),
    }),
    stopBuild: ({ params, dryRun }) => builds.stop(params.build, dryRun),
  } satisfies Partial<Handlers>
}
