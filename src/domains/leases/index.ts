/**
 * Leases: a deploy is made of many calls to many hosts, and two at once of the same deployment would undo each other's work. So each takes a
 * lease on every host first. A lease ends with its time, so a client that was killed leaves nothing behind that an administrator has to remove.
 */
export { leaseHandlers } from './handlers.ts'
export { Leases } from './service.ts'
