/** All operations, by name. */
import * as agent from './agent.ts'
import * as builds from './builds.ts'
import * as containerAccess from './container-access.ts'
import * as containerReports from './container-reports.ts'
import * as containers from './containers.ts'
import * as environments from './environments.ts'
import * as jobs from './jobs.ts'
import * as keys from './keys.ts'
import * as leases from './leases.ts'
import * as links from './links.ts'
import type { Operation } from './operation.ts'
import * as repositories from './repositories.ts'

/** Every operation of the API under its name. Server, client, `gear` and the documents are made from this one value. */
export const contract = {
  installContainer: containers.installContainer,
  deleteContainer: containers.deleteContainer,
  startContainer: containers.startContainer,
  stopContainer: containers.stopContainer,
  restartContainer: containers.restartContainer,
  containerStatus: containerReports.containerStatus,
  containerLog: containerReports.containerLog,
  containerPorts: containerReports.containerPorts,
  execContainer: containerAccess.execContainer,
  getFileKind: containerAccess.getFileKind,
  readFiles: containerAccess.readFiles,
  writeFiles: containerAccess.writeFiles,
  waitContainer: containerReports.waitContainer,
  listContainers: containerReports.listContainers,
  containersUsage: containerReports.containersUsage,
  purgeContainers: containers.purgeContainers,
  getEnvironment: environments.getEnvironment,
  putEnvironment: environments.putEnvironment,
  patchEnvironment: environments.patchEnvironment,
  listEnvironments: environments.listEnvironments,
  putKeys: keys.putKeys,
  postKeys: keys.postKeys,
  createRepository: repositories.createRepository,
  getRepository: repositories.getRepository,
  listRepositories: repositories.listRepositories,
  makeRepositoryKey: repositories.makeRepositoryKey,
  deleteRepository: repositories.deleteRepository,
  archiveRepository: repositories.archiveRepository,
  linkContainers: links.linkContainers,
  listLinks: links.listLinks,
  takeLease: leases.takeLease,
  releaseLease: leases.releaseLease,
  listLeases: leases.listLeases,
  deployRepository: repositories.deployRepository,
  listKeys: keys.listKeys,
  deleteKey: keys.deleteKey,
  buildImage: builds.buildImage,
  listBuilds: builds.listBuilds,
  getBuild: builds.getBuild,
  buildLog: builds.buildLog,
  stopBuild: builds.stopBuild,
  runJob: jobs.runJob,
  listImages: agent.listImages,
  getVersion: agent.getVersion,
  getHealth: agent.getHealth,
  getOpenApi: agent.getOpenApi,
} as const

export type Contract = typeof contract

/** The same for those who take operations as they come: by a name that is known only at run time, each as the general kind of thing it is. */
export const operations = contract as Readonly<Record<string, unknown>> as Readonly<Record<string, Operation>>
export type OperationName = keyof Contract

/** One function per operation; an operation without one does not compile. */
export type Handlers = { readonly [Name in OperationName]: import('./operation.ts').Handler<Contract[Name]> }
