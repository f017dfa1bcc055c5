/**
 * Clients of agents: a call checked and typed by the contract, carried over TCP, the Unix socket or straight into handlers of this process,
 * and the same work for many hosts. Failures come as GearError, those of an agent with the code, message and next step that it gave.
 */
export type { Answer, CallOptions, Client, TextAnswer } from './client.ts'
export { agentSocketPath, type ConnectOptions, connect, freshRequestId, pause } from './connect.ts'
export { type FetchOptions, fetchText } from './fetch-text.ts'
export { localClient, type OpenedHandlers, withFallback } from './local-client.ts'
export { type HostJobs, type LineWriter, type Outcome, runOnHosts } from './many.ts'
export { isAgentAbsent } from './remote-client.ts'
export { nextStep, reportedFailure, shownCode } from './remote-error.ts'
export { type Given, type Input, planOf, type Request, request, type Wants } from './request.ts'
export type { Address } from './transport.ts'
