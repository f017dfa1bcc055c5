/**
 * What gear does, a folder per subject: containers, ports, environments, images, keys, repositories, the node itself. The handlers of all of them together carry
 * out the contract; an operation nobody carries out does not compile.
 */
import { GearError, type Handlers, type RequestId, type WaitEvent } from '../api/index.ts'
import { type Request, request } from '../client/index.ts'
import { newRequestId } from '../formats/index.ts'
import type { Host, UnitStatus } from '../host/index.ts'
import type { NamedStepObserver } from '../lib/index.ts'
import { Builds, buildHandlers, orderedBuild, waitingBuilds } from './builds/index.ts'
import { ContainerReports, Containers, containerHandlers, waitForContainer } from './containers/index.ts'
import { Environments, environmentHandlers } from './environments/index.ts'
import { imageHandlers } from './images/index.ts'
import { Jobs, jobHandlers } from './jobs/index.ts'
import { Keys, keyHandlers } from './keys/index.ts'
import { Leases, leaseHandlers } from './leases/index.ts'
import { Links, linkHandlers } from './links/index.ts'
import { type AgentFacts, nodeHandlers } from './node/index.ts'
import { type DeployHands, Repositories, RepositoryDeployments, repositoryHandlers, undoneDeploys } from './repositories/index.ts'

export { type ContainerInit, initContainer } from './containers/index.ts'
export type { AgentFacts } from './node/index.ts'
export { prepareHost } from './node/index.ts'
export { makeRepository, removeRepository } from './repositories/index.ts'

/** Sees every step of every plan that the agent carries out, before and after it; `id` is what the plan is for: a container, an environment, a lease, a build, a repository whose key is made, or `keys`. */
export type StepLog = NamedStepObserver

export interface DomainOptions extends AgentFacts {
  readonly onStep?: StepLog
}

export function makeHandlers(host: Host, options: DomainOptions): Handlers {
  const environments = new Environments(host, options.onStep)
  const containers = new Containers(host, environments, options.onStep)
  const reports = new ContainerReports(host)
  const builds = new Builds(host, options.onStep)
  return {
    ...containerHandlers(host, containers, reports),
    ...environmentHandlers(environments),
    ...linkHandlers(new Links(host, options.onStep)),
    ...buildHandlers(host, builds),
    ...jobHandlers(new Jobs(host)),
    ...imageHandlers(host),
    ...keyHandlers(new Keys(host, options.onStep)),
    ...leaseHandlers(new Leases(host, options.onStep)),
    ...repositoryHandlers(
      new Repositories(host, options.onStep),
      new RepositoryDeployments(host, deployHands(host, { builds, containers, reports })),
    ),
    ...nodeHandlers(host, options),
  }
}

/** A request that an earlier agent did not bring to its end. */
export interface Undone {
  readonly requestId: RequestId
  readonly request: Request
}

/** What there is to be taken up when an agent starts, in this order. All of it was asked for by root. */
export async function undoneRequests(host: Host): Promise<readonly Undone[]> {
  const [builds, deploys] = await Promise.all([waitingBuilds(host), undoneDeploys(host)])
  return [
    // to look at one that waits is to go on waiting for it, in the order in which they came
    ...builds.map(build => ({ requestId: newRequest(host), request: request('getBuild', { params: { build } }) })),
    ...deploys.map(({ id, requestId }) => ({ requestId, request: request('deployRepository', { params: { id } }) })),
  ]
}

function newRequest({ clock }: Host): RequestId {
  return newRequestId(clock.randomBytes(16)) as RequestId
}

/** What a push sets in motion in other domains. */
function deployHands(
  host: Host,
  { builds, containers, reports }: { readonly builds: Builds; readonly containers: Containers; readonly reports: ContainerReports },
): DeployHands {
  return {
    build: async ({ signal, ...order }) => {
      await builds.begin(await orderedBuild(host, order))
      return builds.follow(order.requestId, { isFollowing: true, isVerdictWanted: true, signal })
    },
    takeUpBuild: (requestId, signal) => builds.takeUp(requestId, signal),
    stopBuild: async requestId => {
      await builds.stop(requestId).catch((error: unknown) => {
        if (!(error instanceof GearError) || error.code !== 'BUILD_UNKNOWN') throw error
      })
    },
    restartWith: async (id, image, requestId) => {
      await containers.setImage({ id, image, requestId })
      await containers.restart(id)
    },
    planBuild: async (order, dryRun) => builds.begin(await orderedBuild(host, order), { dryRun, isFetched: true }),
    planRestart: async (id, image, requestId, dryRun) => {
      await containers.setImage({ id, image, requestId, dryRun })
      await containers.restart(id, dryRun)
    },
    started: async (id, signal) => {
      let last: WaitEvent | undefined
      const explain = (status: UnitStatus) => reports.explain(id, status)
      for await (const event of waitForContainer(host, { id, target: 'started', signal, explain })) last = event
      if (last?.event === 'reached') return
      throw new GearError('DEPLOY_FAILED', `The container ${id} did not come up with what was pushed`, {
        cause: new Error(last?.message ?? 'the agent is being stopped'),
      })
    },
  }
}
