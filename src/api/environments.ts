/** The operations on environments: sets of NAME=VALUE under an id, shared by containers (spec §1.8, routes 16 to 18). */
import { environment, environmentId, nothing, text } from './fields.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

const environmentParams = z.object({ id: environmentId })

export type Environment = z.infer<typeof environment>
export type Variable = Environment['variables'][number]

export const getEnvironment = operation({
  id: 'getEnvironment',
  method: 'GET',
  path: '/environment/{id}',
  summary: 'The variables of an environment, one NAME=VALUE a line',
  params: environmentParams,
  query: nothing,
  reply: { kind: 'text' },
  errors: ['ENVIRONMENT_UNKNOWN', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})

export const putEnvironment = operation({
  id: 'putEnvironment',
  method: 'PUT',
  path: '/environment/{id}',
  summary: 'Replace an environment',
  params: environmentParams,
  query: nothing,
  body: environment,
  reply: { kind: 'none' },
  errors: ['ENVIRONMENT_FETCH_FAILED', 'DISK_FULL', 'STORAGE_FAILED'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const patchEnvironment = operation({
  id: 'patchEnvironment',
  method: 'PATCH',
  path: '/environment/{id}',
  summary: 'Add variables to an environment; later values win',
  params: environmentParams,
  query: nothing,
  body: environment,
  reply: { kind: 'none' },
  errors: ['DISK_FULL', 'STORAGE_FAILED'],
  effect: 'idempotent',
  hasDryRun: true,
  lane: 'job',
})

export const listEnvironments = operation({
  id: 'listEnvironments',
  method: 'GET',
  path: '/environments',
  summary: 'The ids of the stored environments',
  params: nothing,
  query: nothing,
  reply: {
    kind: 'data',
    schema: z.object({ environments: z.array(z.object({ id: text })) }),
    table: { columns: ['ID'], rows: data => data.environments.map(item => [item.id]) },
  },
  errors: ['STORAGE_FAILED'],
  effect: 'read',
  lane: 'job',
})
