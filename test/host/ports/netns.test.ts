/** A real namespace passes the suite that the fake passes: an empty one, with a listener of busybox in it. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe } from 'vitest'
import { processCommands } from '../../../src/host/commands/process.ts'
import { namespacesSuite } from '../../../src/host/netns/netns.suite.ts'
import { linuxNamespaces } from '../../../src/host/netns/nsenter.ts'

describe('namespaces of the kernel', () => {
  const script = 'ip link set lo up; busybox nc -lk -p 8080 -e true & until busybox nc -z 127.0.0.1 8080; do :; done; echo ready; wait'
  const listener = spawn('unshare', ['--net', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })

  beforeAll(async () => {
    for await (const line of createInterface(listener.stdout)) if (line === 'ready') break
  })
  afterAll(() => {
    if (listener.pid !== undefined) process.kill(-listener.pid, 'SIGKILL')
  })

  namespacesSuite(async () => ({
    namespaces: linuxNamespaces(processCommands()),
    pid: listener.pid ?? 0,
    gonePid: 2 ** 22 + 1,
    open: { host: '127.0.0.1', port: 8080 },
    closed: { host: '127.0.0.1', port: 8081 },
  }))
})
