/**
 * What must be on a host before the first container (spec §4.0): the folders, and the targets and slices that units refer to. Written once and
 * never overwritten, so an administrator may edit them. Slices group and account; they carry no limit, but that of builds: a limit on
 * `container.slice` would be one for all containers of the host together.
 */
import { printUnitFile, type UnitEntry } from '../../formats/index.ts'
import type { Host } from '../../host/index.ts'
import { folderOf, modes, requiredFolders } from '../layout/index.ts'

interface SharedUnit {
  readonly name: string
  readonly folder: 'targets' | 'slices'
  readonly text: string
  readonly wantedBy: readonly string[]
}

const targets: readonly SharedUnit[] = [
  target('container', 'All containers', []),
  target('container-sockets', 'All sockets of containers', []),
  target('container-active', 'Containers that start at boot', ['multi-user.target']),
]

const slices: readonly SharedUnit[] = [
  slice('container', 'Containers'),
  slice('container-small', 'Containers of the small size class'),
  slice('container-large', 'Containers of the large size class'),
  // for all builds together: what somebody pushes is not to take the host from what runs on it
  slice('container-build', 'Builds of images', [
    ['MemoryMax', '60%'],
    ['TasksMax', '16384'],
  ]),
]

function target(name: string, description: string, wantedBy: readonly string[]): SharedUnit {
  const install: UnitEntry[] = wantedBy.length === 0 ? [] : [['WantedBy', wantedBy.join(' ')]]
  return { name: `${name}.target`, folder: 'targets', wantedBy, text: print([['Description', description]], [], install) }
}

function slice(name: string, description: string, bounds: readonly UnitEntry[] = []): SharedUnit {
  const wantedBy = ['container.target', 'container-active.target']
  const accounting: readonly UnitEntry[] = [['CPUAccounting', 'yes'], ['MemoryAccounting', 'yes'], ...bounds]
  const install: readonly UnitEntry[] = [['WantedBy', wantedBy.join(' ')]]
  return { name: `${name}.slice`, folder: 'slices', wantedBy, text: print([['Description', description]], accounting, install) }
}

function print(unit: readonly UnitEntry[], slice: readonly UnitEntry[], install: readonly UnitEntry[]): string {
  const sections = [
    { name: 'Unit', entries: unit },
    { name: 'Slice', entries: slice },
    { name: 'Install', entries: install },
  ]
  return printUnitFile({ sections: sections.filter(section => section.entries.length > 0) })
}

/** Makes the host ready; nothing when it is. Safe to repeat, and to break off anywhere. */
export async function prepareHost(host: Pick<Host, 'files' | 'units' | 'paths'>): Promise<void> {
  const folders = new Set<string>()
  for (const { path, mode } of requiredFolders(host.paths))
    for (const folder of await host.files.makeFolder(path, mode)) folders.add(folder)
  const changed = new Set<string>()
  for (const unit of [...targets, ...slices]) for (const folder of await install(host, unit)) changed.add(folder)
  await host.files.syncFolders([...folders, ...changed])
  if (changed.size > 0) await host.units.reload()
}

/** Writes and links one unit where that is missing; the folders that changed. */
async function install({ files, paths }: Pick<Host, 'files' | 'paths'>, unit: SharedUnit): Promise<readonly string[]> {
  const path = `${paths.base}/${unit.folder}/${unit.name}`
  const changed: string[] = []
  if (!(await files.exists(path))) {
    await files.write(path, unit.text, modes.unitFile)
    changed.push(folderOf(path))
  }
  const links = [`${paths.systemd}/${unit.name}`, ...unit.wantedBy.map(name => `${paths.systemd}/${name}.wants/${unit.name}`)]
  for (const link of links) {
    if ((await files.readLink(link)) === path) continue
    changed.push(...(await files.makeFolder(folderOf(link), modes.publicFolder)))
    await files.relink(path, link)
    changed.push(folderOf(link))
  }
  return changed
}
