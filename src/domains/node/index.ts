/** The host as a whole: made ready for containers, and asked how it is. */
export { type AgentFacts, nodeHandlers } from './handlers.ts'
export { prepareHost } from './prepare.ts'
