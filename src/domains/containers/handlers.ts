/** The contract's container operations, carried out by the service and the reports. */
import type { Handlers, Session } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import type { Dropped } from './dropped.ts'
import { execIn } from './exec.ts'
import { fileKind, planFiles, readFiles, writeFiles } from './files.ts'
import { containerLog } from './log.ts'
import type { ContainerReports } from './reports.ts'
import { type Containers, portMappingText } from './service.ts'
import { untilStopped } from './stop.ts'
import { waitForContainer } from './wait.ts'

export function containerHandlers(host: Host, containers: Containers, reports: ContainerReports) {
  return {
    installContainer: async ({ params, body, requestId, caller, dryRun }) => {
      const installed = await containers.install({ id: params.id, requestId, caller, body, dryRun })
      const mapping = portMappingText(installed.ports)
      const state = body.started ? 'is installed and starting' : 'is installed'
      const notice = installed.isRestartNeeded ? `; it still runs as it was before, restart it with: gear restart ${params.id}` : ''
      return {
        text: `Container ${params.id} ${state}${notice}\n${droppedText(installed.dropped)}`,
        ...(mapping === undefined ? {} : { sideData: { PortMapping: mapping } }),
      }
    },
    deleteContainer: async ({ params, query, dryRun }) =>
      void (await containers.delete(params.id, { isEverythingWanted: query.all, dryRun })),
    startContainer: async ({ params, dryRun }) => {
      const isQueued = await containers.start(params.id, dryRun)
      return { text: isQueued ? `Container ${params.id} is starting\n` : `Container ${params.id} is running or starting already\n` }
    },
    stopContainer: async ({ params, body, signal, dryRun }) => {
      const isQueued = await containers.stop(params.id, dryRun)
      if (!isQueued) return { text: `Container ${params.id} is stopped\n` }
      return { text: body.wait ? untilStopped(host, { id: params.id, signal }) : `Container ${params.id} is stopping\n` }
    },
    restartContainer: async ({ params, dryRun }) => {
      await containers.restart(params.id, dryRun)
      return { text: `Container ${params.id} is restarting\n` }
    },
    containerStatus: async ({ params, query, wants }) =>
      wants === 'data' ? { data: await reports.status(params.id, query.lines) } : { text: await reports.statusText(params.id) },
    containerLog: async ({ params, query, signal }) => {
      await reports.requireInstalled(params.id)
      const { follow, since, lines } = query
      return { text: containerLog(host, { id: params.id, isFollowing: follow, since, lines, signal }) }
    },
    containerPorts: async ({ params }) => ({ ports: [...(await reports.ports(params.id))] }),
    execContainer: ({ params, body, signal }) => execIn(host, params.id, body, signal),
    getFileKind: async ({ params, query }) => ({ kind: await fileKind(host, params.id, query.path) }),
    readFiles: ({ params, query, signal }) => readFiles(host, containers.copies, { id: params.id, path: query.path }, signal),
    writeFiles: async ({ params, body, dryRun }) => {
      if (dryRun === undefined) return writeFiles(host, containers.copies, { id: params.id, path: body.folder })
      await planFiles(host, params.id, body.folder, dryRun)
      return noSession
    },
    waitContainer: async ({ params, query, signal }) => {
      await reports.requireInstalled(params.id)
      return waitForContainer(host, { id: params.id, target: query.for, signal, explain: status => reports.explain(params.id, status) })
    },
    listContainers: async ({ query }) => ({ containers: [...(await reports.list(query.all))] }),
    containersUsage: async () => ({ atMs: host.clock.nowMs(), containers: [...(await reports.usage())] }),
    purgeContainers: ({ dryRun }) => containers.purge(dryRun),
  } satisfies Partial<Handlers>
}

/** An install says all that a container is to be, and nobody should lose its isolation or a volume without being told. */
function droppedText({ gone, changed }: Dropped): string {
  const lost = gone.length === 0 ? '' : `It no longer has what was not given again: ${gone.join(' ')}\n`
  return changed.length === 0 ? lost : `${lost}It now has ${changed.join(', ')}\n`
}

/** What a dry run answers is not looked at. */
const noSession: Session = { output: (async function* () {})(), write: async () => undefined, close: () => undefined }
