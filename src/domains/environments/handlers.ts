/** The contract's environment operations, carried out by the service. */
import type { Handlers } from '../../api/index.ts'
import type { Environments } from './service.ts'

export function environmentHandlers(environments: Environments) {
  return {
    getEnvironment: async call => ({ text: await environments.get(call.params.id) }),
    listEnvironments: async () => ({ environments: (await environments.store.list()).map(id => ({ id })) }),
    putEnvironment: call => environments.put(call.params.id, call.body, call.caller, call.dryRun),
    patchEnvironment: call => environments.patch(call.params.id, call.body, call.dryRun),
  } satisfies Partial<Handlers>
}
