/** The operations on the host and the agent itself: images, version, health, the contract as a document. */
import { engine, nothing, text } from './fields.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

export const listImages = operation({
  id: 'listImages',
  method: 'GET',
  path: '/images',
  summary: 'The first tag of every image of the engine, one a line',
  description: 'Without `engine`: of the engine that new containers go to.',
  params: nothing,
  query: z.object({ engine: z.optional(engine) }),
  reply: { kind: 'text' },
  errors: ['ENGINE_UNAVAILABLE', 'ENGINE_FAILED'],
  effect: 'read',
  lane: 'job',
})

export const getVersion = operation({
  id: 'getVersion',
  method: 'GET',
  path: '/version',
  summary: 'The version of the agent',
  params: nothing,
  query: nothing,
  reply: { kind: 'data', schema: z.object({ version: text, api: text, engine: text }) },
  errors: [],
  effect: 'read',
  lane: 'direct',
})

export const getHealth = operation({
  id: 'getHealth',
  method: 'GET',
  path: '/healthz',
  summary: 'Whether the agent can reach systemd, the engine and its disk',
  description: '200 with the state of each; 503 when systemd or the disk fails. An engine that is away does not make the agent unhealthy.',
  params: nothing,
  query: nothing,
  reply: { kind: 'data', schema: z.object({ systemd: text, engine: text, disk: text }) },
  errors: ['SYSTEMD_UNAVAILABLE', 'SYSTEMD_FAILED', 'STORAGE_FAILED'],
  effect: 'read',
  lane: 'direct',
})

export const getOpenApi = operation({
  id: 'getOpenApi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'The API as an OpenAPI 3.1 document',
  params: nothing,
  query: nothing,
  reply: { kind: 'data', schema: z.unknown() },
  errors: [],
  effect: 'read',
  lane: 'direct',
})
