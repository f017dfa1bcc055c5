/**
 * Jobs: commands that run once, each as a transient unit that systemd forgets when it has ended, whatever becomes of the agent. A job that somebody asks for is
 * a container (`job-ID.service`); how the output and the end of any such unit are followed is here too.
 */
export { jobHandlers } from './handlers.ts'
export { linesOfJob } from './output.ts'
export { Jobs } from './service.ts'
