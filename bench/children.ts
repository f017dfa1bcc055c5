/** The environment of the commands that are measured: Node's own variables would change how long gear, and the scripts beside it, take to start. */
export const childEnvironment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_') && !name.startsWith('npm_')),
)
