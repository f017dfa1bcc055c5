/** Which containers are installed: the unit files below `$BASE/units`, one folder listing per partition. */
import { type ContainerId, containerOfUnit, partition } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { unitsFolder } from '../layout/index.ts'

export async function installedContainers({ files, paths }: Pick<Host, 'files' | 'paths'>): Promise<readonly ContainerId[]> {
  const root = unitsFolder(paths)
  const partitions = (await files.list(root)).filter(entry => entry.kind === 'directory')
  const listings = await Promise.all(partitions.map(entry => files.list(`${root}/${entry.name}`)))
  const ids: ContainerId[] = []
  for (const [index, entries] of listings.entries()) {
    for (const entry of entries) {
      const id = entry.kind === 'file' ? containerOfUnit(entry.name) : undefined
      if (id !== undefined && partition(id) === partitions[index]?.name) ids.push(id)
    }
  }
  return ids.sort()
}
