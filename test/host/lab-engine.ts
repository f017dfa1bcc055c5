/**
 * One list of scenarios, two engines. What is told within `onBothEngines` is told once for each; meanwhile the containers of the host go to it.
 * GEAR_TEST_ENGINE=docker or podman tells it for that one only.
 */
import { afterAll, beforeAll, describe } from 'vitest'
import type { LabHost } from './lab-host.ts'

export type EngineName = 'docker' | 'podman'

const engineNames: readonly EngineName[] = ['docker', 'podman']

export function onBothEngines(host: LabHost, scenarios: (engine: LabEngine) => void): void {
  const only = process.env['GEAR_TEST_ENGINE']
  describe.each(engineNames.filter(name => only === undefined || only === name))('on %s', name => {
    beforeAll(() => useEngine(host, name))
    afterAll(() => useEngine(host, undefined))
    scenarios(new LabEngine(host, name))
  })
}

/** New containers go to this engine; without one, to the one that gear finds. */
async function useEngine(host: LabHost, name: EngineName | undefined): Promise<void> {
  const file = '/etc/gear/gear.json'
  const write = name === undefined ? `rm -f ${file}` : `mkdir -p /etc/gear; echo '{"engine": "${name}"}' > ${file}`
  await host.sh(`${write}; systemctl restart gear.service`)
  await host.untilAgentIsUp()
}

/** An engine of a lab host by its CLI, whose words both engines share. */
export class LabEngine {
  readonly name: EngineName
  readonly #host: LabHost

  constructor(host: LabHost, name: EngineName) {
    this.#host = host
    this.name = name
  }

  /** A command that has to succeed; its output. */
  do(...args: readonly string[]): Promise<string> {
    return this.#host.do([this.name, ...args])
  }

  /** A command inside a container. */
  inside(id: string, ...args: readonly string[]): Promise<string> {
    return this.do('exec', id, ...args)
  }

  /** The first process of a running container; `0` or nothing when there is none. */
  async pid(id: string): Promise<string> {
    return (await this.#host.exec([this.name, 'inspect', '-f', '{{.State.Pid}}', id])).stdout.trim()
  }

  /** Ids of the containers with this name, running or not. */
  async containers(name: string): Promise<readonly string[]> {
    return (await this.do('ps', '-aq', '--filter', `name=^${name}$`)).trim().split('\n').filter(Boolean)
  }

  /** Name and state, a line for each container whose name has this in it. */
  async list(name: string): Promise<string> {
    const lines = await this.do('ps', '-a', '--format', '{{.Names}} {{.State}}', '--filter', `name=${name}`)
    return lines.replace(/ Up .*$/gm, ' running')
  }

  /** The image of a container by name, as a user would write it. */
  async imageOf(id: string): Promise<string> {
    const name = (await this.do('inspect', '-f', this.name === 'docker' ? '{{.Config.Image}}' : '{{.ImageName}}', id)).trim()
    return name.replace(/^localhost\//, '').replace(/:latest$/, '')
  }

  /** Makes an image of the busybox one with other settings, as Dockerfile lines. */
  async makeImage(name: string, ...changes: readonly string[]): Promise<void> {
    const options = changes.map(change => `--change '${change}'`).join(' ')
    await this.#host.sh(
      `${this.name} create --name image-source gear/busybox > /dev/null
       ${this.name} export image-source | ${this.name} import ${options} - ${name}
       ${this.name} rm image-source`,
    )
  }
}
