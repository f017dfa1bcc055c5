/**
 * The contract: every operation of the API with its method, path, fields and errors, declared once. Server, client, command line,
 * OpenAPI document and reference pages are derived from what is here. Nothing here does anything.
 */

export type { PortPair } from '../formats/index.ts'
export type { BuildAsked, BuildReport } from './builds.ts'
export type { ExecIn, FileKind } from './container-access.ts'
export type { ContainerStatus, ListedContainer, UsedContainer, WaitEvent } from './container-reports.ts'
export { type InstallContainer, restartPolicies, sliceNames } from './containers.ts'
export { type Contract, contract, type Handlers, type OperationName, operations } from './contract.ts'
export { dryRunExpectation, dryRunOf, dryRunParameter, isDryRun, type Plan, planning } from './dry-run.ts'
export type { Environment, Variable } from './environments.ts'
export { errorNotes } from './error-notes.ts'
export * from './errors.ts'
export { type EngineKind, engineKinds } from './fields.ts'
export * from './ids.ts'
export { type CreateKeys, type KeyPermission, keyAccessText, readKeyPermission, type StoredKey } from './keys.ts'
export * from './limits.ts'
export { type LinksOfContainer, type ListedLink, linkCells } from './links.ts'
export { openApiDocument } from './openapi.ts'
export type { BytesResult, Call, Caller, Handler, Method, Operation, Reply, Schema, TableOf, TextResult } from './operation.ts'
export type { ArchiveFormat, ListedRepository, RepositoryBuild, RepositoryDeployEvent } from './repositories.ts'
export * from './sessions.ts'
export { fieldNames, fromText, fromWire, inputInvalid, isTextAt, toWire, type UnknownKey, unknownKeys } from './wire.ts'
