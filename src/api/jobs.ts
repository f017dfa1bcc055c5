/** The operation on jobs: a command in a container of its own, once (spec §4.13, route 15). */
import { image, jobArguments, jobProgram, nothing, unusedText } from './fields.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

export const runJob = operation({
  id: 'runJob',
  method: 'POST',
  path: '/jobs',
  summary: 'Run a command in a container of its own, once',
  description:
    'The job is a unit of its own, job-ID.service: it goes on when the caller leaves or the agent ends. The answer is its output as it comes, and ends with it; the same request id attaches to the same job. Afterwards nothing of it is left but its lines in the journal.',
  params: nothing,
  query: nothing,
  body: z.object({
    /** The original's: the request id counts. */
    name: unusedText,
    image,
    /** Instead of the entry point of the image. */
    command: jobProgram,
    arguments: jobArguments,
  }),
  reply: { kind: 'text' },
  errors: ['JOB_FAILED', 'QUEUE_FULL', 'REQUEST_ID_REUSED', 'ENGINE_UNAVAILABLE', 'SYSTEMD_FAILED', 'SYSTEMD_UNAVAILABLE'],
  effect: 'once',
  isFollowed: true,
  lane: 'stream',
})
