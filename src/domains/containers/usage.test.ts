import { describe, expect, it } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { readUsage, sliceFolder } from './usage.ts'

const id = 'cd'.repeat(32)
const unit = 'ctr-shop.service' as UnitName
const slice = 'container-small.slice'
const nested = '/container.slice/container-small.slice'

describe('the folder of a slice', () => {
  it.each([
    ['container.slice', '/container.slice'],
    ['container-small.slice', '/container.slice/container-small.slice'],
    ['a-b-c.slice', '/a.slice/a-b.slice/a-b-c.slice'],
  ])('%s is %s', (name, folder) => {
    expect(sliceFolder(name)).toBe(folder)
  })
})

describe('usage is found wherever the engine puts the container', () => {
  it.each<{ name: string; files: Readonly<Record<string, string>>; usage: Awaited<ReturnType<typeof readUsage>> }>([
    {
      name: 'one hierarchy, systemd driver',
      files: {
        [`${nested}/docker-${id}.scope/memory.current`]: '1048576\n',
        [`${nested}/docker-${id}.scope/cpu.stat`]: 'usage_usec 2500400\nuser_usec 1\n',
      },
      usage: { memoryBytes: 1_048_576, cpuMs: 2500 },
    },
    {
      name: 'one hierarchy, podman',
      files: { [`${nested}/${unit}/libpod-payload-${id}/memory.current`]: '4096\n' },
      usage: { memoryBytes: 4096, cpuMs: undefined },
    },
    {
      name: 'one hierarchy, cgroupfs driver',
      files: { [`${nested}/${id}/memory.current`]: '4096\n', [`${nested}/${id}/cpu.stat`]: 'nr_periods 0\nusage_usec 1000\n' },
      usage: { memoryBytes: 4096, cpuMs: 1 },
    },
    {
      name: 'hierarchies apart, cgroupfs driver',
      files: {
        [`/memory${nested}/${id}/memory.usage_in_bytes`]: '8192\n',
        [`/cpu,cpuacct${nested}/${id}/cpuacct.usage`]: '3000000000\n',
      },
      usage: { memoryBytes: 8192, cpuMs: 3000 },
    },
    {
      name: 'hierarchies apart, systemd driver, the other name for cpuacct',
      files: {
        [`/memory${nested}/docker-${id}.scope/memory.usage_in_bytes`]: '8192\n',
        [`/cpuacct${nested}/docker-${id}.scope/cpuacct.usage`]: '3000000\n',
      },
      usage: { memoryBytes: 8192, cpuMs: 3 },
    },
    { name: 'nowhere', files: {}, usage: { memoryBytes: undefined, cpuMs: undefined } },
    {
      name: 'something that is no number',
      files: { [`${nested}/${id}/memory.current`]: 'max\n', [`${nested}/${id}/cpu.stat`]: 'usage_usec many\n' },
      usage: { memoryBytes: undefined, cpuMs: undefined },
    },
  ])('$name', async ({ files, usage }) => {
    const host = fakeHost()
    for (const [path, text] of Object.entries(files)) host.files.put(`/sys/fs/cgroup${path}`, text)
    expect(await readUsage(host, { slice, unit, containerId: id })).toEqual(usage)
  })
})
