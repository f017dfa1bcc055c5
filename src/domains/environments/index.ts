/** Environments: sets of NAME=VALUE kept under an id, which containers share (spec §1.8). */
export { environmentHandlers } from './handlers.ts'
export { Environments } from './service.ts'
export { EnvironmentStore } from './store.ts'
