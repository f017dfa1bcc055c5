/**
 * Ports on the host: which are reserved for whom, which come next (spec §8). A reservation is a symbolic link on disk, made exclusively,
 * so that it survives crashes and two programs never hold the same one.
 */
export { PortAllocator } from './allocator.ts'
export { type PortPlan, planPorts, takenPort } from './reservation.ts'
export { PortStore } from './store.ts'
