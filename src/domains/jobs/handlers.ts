/** The contract's operation on jobs. */
import type { Handlers } from '../../api/index.ts'
import type { Jobs } from './service.ts'

export function jobHandlers(jobs: Jobs) {
  return {
    runJob: async ({ body: { image, command, arguments: args }, requestId, signal }) => ({
      text: await jobs.run({ id: requestId, image, command, args }, signal),
    }),
  } satisfies Partial<Handlers>
}
