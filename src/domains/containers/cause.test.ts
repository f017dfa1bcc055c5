import { describe, expect, it } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import type { UnitStatus } from '../../host/index.ts'
import { causeOf, signalOf } from './cause.ts'
import { parseLastExit } from './run-state.ts'

const failed: UnitStatus = {
  name: 'ctr-shop.service' as UnitName,
  loadState: 'loaded',
  activeState: 'failed',
  subState: 'failed',
  hasJob: false,
  needsReload: false,
  result: 'exit-code',
  mainPid: 0,
  mainStatus: 1,
  mainSignalled: false,
  restarts: 0,
  activeSinceMs: 1,
  inactiveSinceMs: 2,
  stateSinceMs: 2,
}
const retrying = { activeState: 'activating', subState: 'auto-restart', restarts: 3 } as const

function cause(status: Partial<UnitStatus>, lastExit?: string, memoryBytes?: number) {
  return causeOf({
    id: 'shop',
    installed: { engine: 'docker', image: 'acme/shop:1.2', memoryBytes },
    status: { ...failed, ...status },
    lastExit: lastExit === undefined ? undefined : parseLastExit(lastExit),
  })
}

describe('a container that is well has no cause', () => {
  it.each<{ name: string; status: Partial<UnitStatus>; lastExit?: string }>([
    { name: 'it runs', status: { activeState: 'active', subState: 'running' } },
    { name: 'it runs again after a failure', status: { activeState: 'active', subState: 'running', restarts: 2 }, lastExit: 'ExitCode=1' },
    { name: 'it starts for the first time', status: { activeState: 'activating', subState: 'start-pre' } },
    { name: 'it stops', status: { activeState: 'deactivating', subState: 'stop' } },
    { name: 'it was stopped on request', status: { activeState: 'inactive', subState: 'dead' }, lastExit: 'ExitCode=143\nReason=stopped' },
    { name: 'it was never started', status: { activeState: 'inactive', subState: 'dead' } },
  ])('$name', ({ status, lastExit }) => {
    expect(cause(status, lastExit)).toBeUndefined()
  })
})

describe('the cause of a failure is one sentence', () => {
  it.each<{ name: string; status?: Partial<UnitStatus>; lastExit?: string; memoryBytes?: number; said: string; next: RegExp }>([
    { name: 'exit code', lastExit: 'ExitCode=3\nReason=exited', said: 'its process ended with exit code 3', next: /gear log shop/ },
    {
      name: 'exit code 0, when it should not end',
      lastExit: 'ExitCode=0',
      said: 'its process ended with exit code 0',
      next: /gear log shop/,
    },
    { name: 'command not found', lastExit: 'ExitCode=127', said: 'its process ended with exit code 127', next: /check the image/ },
    { name: 'command not executable', lastExit: 'ExitCode=126', said: 'its process ended with exit code 126', next: /check the image/ },
    {
      name: 'signal',
      lastExit: 'ExitCode=139\nSignal=11',
      said: 'it was ended by signal SIGSEGV (exit code 139)',
      next: /gear log shop/,
    },
    { name: 'rare signal', lastExit: 'ExitCode=159', said: 'it was ended by signal number 31 (exit code 159)', next: /gear log shop/ },
    { name: 'exit code beyond all signals', lastExit: 'ExitCode=255', said: 'its process ended with exit code 255', next: /gear log shop/ },
    {
      name: 'out of memory, the limit known',
      lastExit: 'ExitCode=137\nOOMKilled=true',
      memoryBytes: 512 * 1024 * 1024,
      said: 'it was killed because it needed more than its memory limit of 512 MiB',
      next: /--memory/,
    },
    {
      name: 'out of memory, the limit not known',
      lastExit: 'ExitCode=137\nOOMKilled=true',
      said: 'it was killed because it needed more than its memory limit',
      next: /--memory/,
    },
    {
      name: 'image missing',
      lastExit: 'Reason=image-missing\nMessage=manifest unknown',
      said: 'the image acme/shop:1.2 is neither on this host nor in its registry: manifest unknown',
      next: /docker pull, docker load/,
    },
    {
      name: 'pull stalled',
      lastExit: 'Reason=pull-stalled\nMessage=next to nothing has come for 300 s',
      said: 'the image acme/shop:1.2 could not be pulled: next to nothing has come for 300 s',
      next: /GEARD_PULL_STALL_SECONDS/,
    },
    {
      name: 'rate limited',
      lastExit: 'Reason=rate-limited\nMessage=toomanyrequests',
      said: 'the image acme/shop:1.2 could not be pulled, because its registry refuses more requests for now: toomanyrequests',
      next: /docker login/,
    },
    {
      name: 'pull failed',
      lastExit: 'Reason=pull-failed\nMessage=no route to host',
      said: 'the image acme/shop:1.2 could not be pulled: no route to host',
      next: /docker pull acme\/shop:1\.2/,
    },
    {
      name: 'port taken',
      lastExit: 'Reason=port-taken\nMessage=bind for 0.0.0.0:4000 failed',
      said: 'an external port is used by another program: bind for 0.0.0.0:4000 failed',
      next: /ss -ltnp/,
    },
    { name: 'engine away', lastExit: 'Reason=engine-away', said: 'the container engine does not answer', next: /systemctl status docker/ },
    {
      name: 'name taken',
      lastExit: 'Reason=name-taken',
      said: 'the engine has a container named shop that gear did not make',
      next: /docker rename shop/,
    },
    {
      name: 'isolation failed',
      lastExit: 'Reason=isolation-failed\nMessage=the image acme/shop has no find, and --isolate needs it',
      said: 'it could not be given an account of its own: the image acme/shop has no find, and --isolate needs it',
      next: /without --isolate/,
    },
    {
      name: 'image refused',
      lastExit: 'Reason=image-refused\nMessage=the image acme/shop has a fifo in the place of its /etc/passwd',
      said: 'its image was refused before anything of it ran: the image acme/shop has a fifo in the place of its /etc/passwd',
      next: /plain files/,
    },
    {
      name: 'no user numbers',
      lastExit: 'Reason=no-user-numbers\nMessage=creating container storage: could not find enough available IDs',
      said: 'podman has no user numbers for a namespace of its own: creating container storage: could not find enough available IDs',
      next: /subuid/,
    },
    {
      name: 'data of other users',
      lastExit: 'Reason=other-numbers\nMessage=they were written without --userns auto',
      said: 'its data belong to other users: they were written without --userns auto',
      next: /as it was before.*gear delete --all shop/,
    },
    {
      name: 'links failed',
      lastExit: 'Reason=links-failed\nMessage=no such host',
      said: 'its network links could not be applied: no such host',
      next: /journalctl -u ctr-shop/,
    },
    {
      name: 'start timeout',
      status: { result: 'timeout' },
      lastExit: 'Reason=start-timeout',
      said: 'it had not started when the time systemd allows was over',
      next: /journalctl -u ctr-shop -u docker/,
    },
    {
      name: 'waiter lost',
      lastExit: 'ExitCode=137\nReason=waiter-lost',
      said: 'the process that watched it was killed, so it was ended and starts anew',
      next: /journalctl -u ctr-shop/,
    },
    {
      name: 'no room for the container',
      lastExit: 'Reason=run-failed\nMessage=write /var/lib/docker/overlay2/12db-init/link: no space left on device',
      said: "the engine's storage is full: write /var/lib/docker/overlay2/12db-init/link: no space left on device",
      next: /^Make room there \(docker info .*DockerRootDir.*docker image prune/,
    },
    {
      name: 'no room for the image',
      lastExit: 'Reason=pull-failed\nMessage=writing blob: write /var/lib/docker/tmp/GetImageBlob1: disk quota exceeded',
      said: "the engine's storage is full: writing blob: write /var/lib/docker/tmp/GetImageBlob1: disk quota exceeded",
      next: /^Make room there/,
    },
    {
      name: 'a storage that is read-only',
      lastExit: 'Reason=run-failed\nMessage=mkdir /var/lib/docker/overlay2/12db-init: read-only file system',
      said: "the engine's storage is read-only: mkdir /var/lib/docker/overlay2/12db-init: read-only file system",
      next: /findmnt/,
    },
    {
      name: 'a mount in a container that is read-only, which is not the storage',
      lastExit: 'Reason=run-failed\nMessage=mkdir /var/lib/docker/overlay2/12db/merged/data: read-only file system',
      said: 'the engine refused to start it: mkdir /var/lib/docker/overlay2/12db/merged/data: read-only file system',
      next: /journalctl/,
    },
    {
      name: 'a control group that the kernel has no room for',
      lastExit: 'Reason=run-failed\nMessage=mkdir /sys/fs/cgroup/memory/docker: no space left on device',
      said: 'the engine refused to start it: mkdir /sys/fs/cgroup/memory/docker: no space left on device',
      next: /journalctl/,
    },
    {
      name: 'refused by the engine',
      lastExit: 'Reason=run-failed\nMessage=invalid mount',
      said: 'the engine refused to start it: invalid mount',
      next: /journalctl -u ctr-shop -u docker/,
    },
    {
      name: 'stop timeout',
      status: { result: 'timeout' },
      lastExit: 'ExitCode=137',
      said: 'it did not start or stop in the time systemd allows',
      next: /gear log shop/,
    },
    {
      name: 'end not seen',
      lastExit: 'Reason=exited\nMessage=docker does not answer',
      said: 'its end was not seen by the engine: docker does not answer',
      next: /gear log shop/,
    },
    {
      name: 'nothing noted, exit code of the helper',
      said: 'the unit ended as exit-code (exit code 1)',
      next: /journalctl -u ctr-shop/,
    },
    {
      name: 'nothing noted, helper killed',
      status: { result: 'signal', mainSignalled: true, mainStatus: 9 },
      said: 'the unit ended as signal (signal 9)',
      next: /journalctl -u ctr-shop/,
    },
    {
      name: 'nothing noted, no status either',
      status: { result: 'resources', mainStatus: 0 },
      said: 'the unit ended as resources',
      next: /journalctl -u ctr-shop/,
    },
    {
      name: 'start limit',
      status: { result: 'start-limit-hit' },
      lastExit: 'ExitCode=1',
      said: 'it failed too often in a short time, so systemd gave up; at last its process ended with exit code 1',
      next: /gear log shop/,
    },
    {
      name: 'start limit, with the result of the last run',
      status: { result: 'exit-code', restarts: 9 },
      lastExit: 'Reason=image-missing',
      said: 'it failed too often in a short time, so systemd gave up; at last the image acme/shop:1.2 is neither on this host nor in its registry',
      next: /docker pull/,
    },
    {
      name: 'stop timeout on request, after restarts',
      status: { result: 'timeout', restarts: 2 },
      lastExit: 'ExitCode=137\nReason=stopped',
      said: 'it did not start or stop in the time systemd allows',
      next: /gear log shop/,
    },
    {
      name: 'waits for the next attempt',
      status: retrying,
      lastExit: 'ExitCode=1',
      said: 'its process ended with exit code 1; systemd starts it again (restart 3)',
      next: /gear log shop/,
    },
    {
      name: 'is in the next attempt',
      status: { ...retrying, subState: 'start-pre' },
      lastExit: 'Reason=image-missing',
      said: 'the image acme/shop:1.2 is neither on this host nor in its registry; systemd starts it again (restart 3)',
      next: /docker pull/,
    },
    {
      name: 'disabled',
      status: { loadState: 'not-found', activeState: 'inactive', subState: 'dead' },
      said: 'it is disabled: systemd does not know its unit',
      next: /gear start shop/,
    },
    {
      name: 'masked',
      status: { loadState: 'masked', activeState: 'inactive', subState: 'dead' },
      said: 'systemd could not load its unit (masked)',
      next: /systemctl status ctr-shop\.service/,
    },
  ])('$name', ({ status = {}, lastExit, memoryBytes, said, next }) => {
    const found = cause(status, lastExit, memoryBytes)
    expect(found?.cause).toBe(said)
    expect(found?.next).toMatch(next)
  })
})

describe('an exit code', () => {
  it.each([
    [0, undefined],
    [128, undefined],
    [137, 'SIGKILL'],
    [143, 'SIGTERM'],
    [159, 'number 31'],
    [192, 'number 64'],
    [193, undefined],
    [255, undefined],
  ])('%i stands for signal %s', (exitCode, signal) => {
    expect(signalOf(exitCode)).toBe(signal)
  })
})
