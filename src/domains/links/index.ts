/**
 * Network links: what a container sees at an address of its own, such as 127.0.0.1:6379, and is elsewhere (spec §9). The links of a container
 * are a file, and that file is the truth: the container's unit applies it at every start, and a unit of its own (`gear-links@ID.service`)
 * applies it to the running container when it has changed, and again while a name cannot be resolved. Neither needs the agent. This domain
 * writes the file, asks systemd for the application, and tells what became of each link.
 */
export { linkHandlers } from './handlers.ts'
export type { LinkStep } from './plan.ts'
export { Links, type LinksObserver } from './service.ts'
