/** A build of local source that asks for nothing special, for tests to change. */
import type { ImageName, RequestId } from '../../api/index.ts'
import type { BuildRequest } from './build.ts'

export const fakeRequest: BuildRequest = {
  id: 'zWJ2s4o0QnuNn2iTfyQ3bg' as RequestId,
  source: { kind: 'local', path: '/srv/shop' },
  image: 'acme/node' as ImageName,
  tag: 'acme/shop' as ImageName,
  isClean: false,
  isPreviousRemoved: false,
  variables: [],
  scriptsUrl: undefined,
  callbackUrl: undefined,
  network: undefined,
  memoryBytes: 0,
  cpus: 0,
  pids: 0,
  mayReachHost: true,
  isVerbose: false,
}
