/**
 * What a build has on its host until it ends. Stories share hosts with others, which may have left something there: what counts is what has come since.
 */
import type { EngineName } from './lab-engine.ts'
import type { LabHost } from './lab-host.ts'

export class BuildTraces {
  readonly #host: LabHost
  readonly #engine: EngineName
  #before: readonly string[] = []

  constructor(host: LabHost, engine: EngineName) {
    this.#host = host
    this.#engine = engine
  }

  /** Nothing that is there now counts. */
  async begin(): Promise<void> {
    this.#before = await this.#all()
  }

  /** What is there since the beginning, such as `container gear-build-…`; volumes too, which are of builds alone on a host where nothing else happens. */
  async left(): Promise<readonly string[]> {
    return (await this.#all()).filter(trace => !this.#before.includes(trace))
  }

  async #all(): Promise<readonly string[]> {
    const engine = this.#engine
    const volumes = engine === 'docker' ? '--filter dangling=true' : '--filter name=gear-build-'
    const lines = await this.#host.sh(
      `${engine} ps -a --filter name=gear-build- --format 'container {{.Names}}'
       ${engine} volume ls ${volumes} --format 'volume {{.Name}}'
       ls -A /var/lib/containers/builds/work 2>/dev/null | sed 's/^/folder /'`,
    )
    return lines.split('\n').filter(Boolean)
  }
}
