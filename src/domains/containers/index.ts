/**
 * Containers: an image, installed under an id, as a systemd unit of its own (`ctr-ID.service`). What exists is what has a unit file; what
 * runs is what systemd runs. This domain writes the unit files, asks systemd to start and stop them, and reports; nothing of it is
 * needed while a container runs, restarts or comes back after a boot.
 */

export { specOf } from './container.ts'
export { containerHandlers } from './handlers.ts'
export { hardeningOptions, plainContainer } from './hardening.ts'
export { type ContainerInit, initContainer } from './init.ts'
export type { ContainerStep } from './plan.ts'
export { ContainerReports } from './reports.ts'
export { Containers } from './service.ts'
export { renderUnit } from './unit.ts'
export { waitForContainer } from './wait.ts'
