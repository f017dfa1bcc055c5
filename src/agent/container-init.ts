/** `gear init`, which is no part of the agent's process: units of the original start it. */
import { type ContainerInit, initContainer } from '../domains/index.ts'
import { linuxHost } from '../host/index.ts'
import { hostPaths, loadConfig } from './config.ts'

export async function runContainerInit(init: ContainerInit): Promise<void> {
  const host = linuxHost({ paths: hostPaths(loadConfig({}).config) })
  try {
    await initContainer(host, init)
  } finally {
    await host.units.close()
  }
}
