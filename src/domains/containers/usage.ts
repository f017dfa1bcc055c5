/**
 * Memory and CPU of a running container, read from its cgroup. Where the engine puts it depends on the cgroup driver and on the
 * hierarchy: by path under the slice, or as a scope; Podman's are in their unit. The places are tried in turn.
 */
import type { UnitName } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

export interface Usage {
  readonly memoryBytes: number | undefined
  readonly cpuMs: number | undefined
}

interface Run {
  readonly slice: string
  readonly unit: UnitName
  readonly containerId: string
}

export async function readUsage({ files, paths }: Pick<Host, 'files' | 'paths'>, { slice, unit, containerId }: Run): Promise<Usage> {
  const root = paths.cgroup
  const names = [`docker-${containerId}.scope`, containerId, `${unit}/libpod-payload-${containerId}`]
  const places = names.map(name => `${sliceFolder(slice)}/${name}`)
  for (const place of places) {
    const [memory, cpu] = await Promise.all([
      readNumber(files, [`${root}${place}/memory.current`, `${root}/memory${place}/memory.usage_in_bytes`]),
      readCpu(files, root, place),
    ])
    if (memory !== undefined || cpu !== undefined) return { memoryBytes: memory, cpuMs: cpu }
  }
  return { memoryBytes: undefined, cpuMs: undefined }
}

/** A slice's folder: `container-small.slice` lies in `container.slice` (systemd.slice(5)). */
export function sliceFolder(slice: string): string {
  const parts = slice.replace(/\.slice$/, '').split('-')
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('')
}

async function readNumber(files: Host['files'], candidates: readonly string[]): Promise<number | undefined> {
  for (const path of candidates) {
    const text = (await files.read(path))?.trim()
    if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  }
  return undefined
}

async function readCpu(files: Host['files'], root: string, place: string): Promise<number | undefined> {
  const unified = await files.read(`${root}${place}/cpu.stat`)
  const microseconds = /^usage_usec (\d+)$/m.exec(unified ?? '')?.[1]
  if (microseconds !== undefined) return Math.round(Number(microseconds) / 1000)
  const nanoseconds = await readNumber(files, [`${root}/cpuacct${place}/cpuacct.usage`, `${root}/cpu,cpuacct${place}/cpuacct.usage`])
  return nanoseconds === undefined ? undefined : Math.round(nanoseconds / 1_000_000)
}
