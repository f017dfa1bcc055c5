/**
 * The command line. Commands read their words, build checked calls of the contract and give them to clients; they do not know whether an agent
 * answers over the network or the work is done in this process.
 */
export { allCommands, runCommandLine } from './app.ts'
export { processContext } from './context.ts'
