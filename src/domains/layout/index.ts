/**
 * Where everything of gear is on disk (spec §5): the folders with their modes, and the path of each file by the id it belongs to. The
 * layout is the original's and other programs read it, so paths and modes here are exact. `<aa>` is the first two characters of an id.
 */
import {
  type ContainerId,
  containerUnit,
  type EngineKind,
  type EnvironmentId,
  type KeyFingerprint,
  type LeaseName,
  partition,
  type RepositoryId,
} from '../../api/index.ts'
import { readUnitMetadata } from '../../formats/index.ts'
import type { Paths } from '../../host/index.ts'

/** Modes of spec §5.2 to §5.4, before no umask at all. */
export const modes = {
  publicFolder: 0o755,
  /** Folders whose parents only root and the group read. */
  privateFolder: 0o750,
  unitFolder: 0o775,
  unitFile: 0o664,
  publicFile: 0o644,
  socketFile: 0o666,
  secretFolder: 0o770,
  secretFile: 0o660,
  /** Of repositories, of the homes of accounts, and of private keys. */
  ownFolder: 0o700,
  ownFile: 0o600,
} as const

export interface Folder {
  readonly path: string
  readonly mode: number
}

/** The folders that exist on every host gear runs on (spec §5.2), parents first. */
export function requiredFolders({ base, run, systemd }: Paths): readonly Folder[] {
  const publicOnes = ['', '/home', '/units', '/git', '/router', '/access/containers/ssh', '/access/git', '/keys/public']
  const privateOnes = ['/targets', '/slices', '/env/contents', '/ports/descriptions', '/ports/interfaces', '/ports/links']
  return [
    ...publicOnes.map(path => ({ path: base + path, mode: modes.publicFolder })),
    ...privateOnes.map(path => ({ path: base + path, mode: modes.privateFolder })),
    { path: run, mode: modes.publicFolder },
    { path: bootFolder({ systemd }), mode: modes.publicFolder },
    { path: wantedFolder({ systemd }), mode: modes.publicFolder },
  ]
}

/** Everything on disk that belongs to one container. */
export interface ContainerPaths {
  /** `$BASE/units/<aa>` */
  readonly unitFolder: string
  /** The record: its existence is the container's existence. */
  readonly unit: string
  /** Folder of versions: one rendered unit per install, named by request id. */
  readonly versions: string
  readonly socket: string
  readonly idleFlag: string
  /** What its data container on Docker holds; written and read by `libexec/docker-volumes.sh` and `docker-data.sh`, and there as long as the data are. */
  readonly notedVolumes: string
  readonly linksFolder: string
  readonly links: string
  readonly run: string
  /** Written by an install that found no data container, used up by the start that follows. */
  readonly noData: string
  /** What became of each link when they were last applied; written by `libexec/container-links`, gone when the container ends. */
  readonly linksApplied: string
  readonly home: string
  /** Folder of the public keys that are let in: links to the keys, named by fingerprint (spec §11.2). */
  readonly access: string
  /** Links that make systemd see the unit: by its name, wanted by container.target, wanted at boot. */
  readonly systemdUnit: string
  readonly wanted: string
  readonly boot: string
}

export function containerPaths(paths: Paths, id: ContainerId): ContainerPaths {
  const part = partition(id)
  const unit = containerUnit(id)
  const unitFolder = `${paths.base}/units/${part}`
  return {
    unitFolder,
    unit: `${unitFolder}/${unit}`,
    versions: `${unitFolder}/${id}`,
    socket: `${unitFolder}/ctr-${id}.socket`,
    idleFlag: `${unitFolder}/ctr-${id}.idle`,
    notedVolumes: `${unitFolder}/ctr-${id}.volumes`,
    linksFolder: `${paths.base}/ports/links/${part}`,
    links: `${paths.base}/ports/links/${part}/${id}`,
    run: `${paths.run}/${part}/${id}`,
    noData: `${paths.run}/${part}/${id}/no-data`,
    linksApplied: `${paths.run}/${part}/${id}/links-applied`,
    home: `${paths.base}/home/${part}/${id}`,
    access: `${accessFolders(paths).container}/${part}/${id}`,
    systemdUnit: `${paths.systemd}/${unit}`,
    wanted: `${wantedFolder(paths)}/${unit}`,
    boot: `${bootFolder(paths)}/${unit}`,
  }
}

/** Everything on disk that belongs to one repository. */
export interface RepositoryPaths {
  /** The bare repository: its existence is the repository's existence. Not partitioned. */
  readonly repository: string
  /** A repository that is being made or removed; no id has such a name. */
  readonly unfinished: string
  /** Held by the process that makes or removes it. */
  readonly lock: string
  /** Home of its account, and the folder around it. */
  readonly home: string
  readonly homeFolder: string
  /** What becomes of a push; readable for the account, written by root only. */
  readonly build: string
  /** Which image git runs in a container of, and of which engine; read by the helpers, written by root only. */
  readonly githost: string
  /** The private key with which it is cloned over ssh: root's, kept until the repository is deleted. */
  readonly cloneKey: string
  /** A copy of that for its account, while it is cloned. */
  readonly lentKey: string
  /** Keys of the host that it is cloned from. */
  readonly knownHosts: string
  /** How far its clone is. */
  readonly progress: string
  /** The files of the commit that is being built. */
  readonly checkout: string
  /** Deployments that are not at their end, for the next agent. */
  readonly deploys: string
  /** Folder of links to the keys that may read or write it. */
  readonly access: string
}

export function repositoryPaths({ base, run }: Pick<Paths, 'base' | 'run'>, id: RepositoryId): RepositoryPaths {
  const homeFolder = `${base}/git-home/${partition(id)}/${id}`
  return {
    repository: `${repositoriesFolder({ base })}/${id}`,
    unfinished: `${repositoriesFolder({ base })}/.unfinished-${id}`,
    lock: `${repositoriesFolder({ base })}/.lock-${id}`,
    home: `${homeFolder}/home`,
    homeFolder,
    build: `${homeFolder}/build.json`,
    githost: `${homeFolder}/githost`,
    cloneKey: `${base}/keys/clone/${id}`,
    lentKey: `${homeFolder}/clone-key`,
    knownHosts: `${homeFolder}/known-hosts`,
    progress: `${run}/clones/${id}`,
    checkout: `${repositoriesFolder({ base })}/.checkout-${id}`,
    deploys: `${repositoriesFolder({ base })}/${deploysPrefix}${id}`,
    access: `${accessFolders({ base }).repository}/${partition(id)}/${id}`,
  }
}

/** No id begins like this. */
export const deploysPrefix = '.deploys-'

export function repositoriesFolder({ base }: Pick<Paths, 'base'>): string {
  return `${base}/git`
}

export function unitsFolder({ base }: Pick<Paths, 'base'>): string {
  return `${base}/units`
}

function wantedFolder({ systemd }: Pick<Paths, 'systemd'>): string {
  return `${systemd}/container.target.wants`
}

function bootFolder({ systemd }: Pick<Paths, 'systemd'>): string {
  return `${systemd}/container-active.target.wants`
}

/** The partitions of all environments lie in it. */
export function environmentsFolder({ base }: Pick<Paths, 'base'>): string {
  return `${base}/env/contents`
}

export function environmentFolder({ base }: Pick<Paths, 'base'>, id: EnvironmentId): string {
  return `${base}/env/contents/${partition(id)}`
}

export function environmentFile(paths: Pick<Paths, 'base'>, id: EnvironmentId): string {
  return `${environmentFolder(paths, id)}/${id}`
}

/** Folder of the reservations of a block of a hundred ports (spec §8.1); `1` is the only device. */
export function portFolder({ base }: Pick<Paths, 'base'>, port: number): string {
  return `${base}/ports/interfaces/1/${Math.floor(port / portsPerBlock)}`
}

export function portLink(paths: Pick<Paths, 'base'>, port: number): string {
  return `${portFolder(paths, port)}/${port}`
}

export const portsPerBlock = 100

/** A public key, by its fingerprint; whoever may log in anywhere, the key is here once (spec §11.1). */
export function keyFile(paths: Pick<Paths, 'base'>, fingerprint: KeyFingerprint): string {
  return `${keyFolder(paths)}/${fingerprint.slice(0, 2)}/${fingerprint}`
}

export function keyFolder({ base }: Pick<Paths, 'base'>): string {
  return `${base}/keys/public`
}

/** Where the links to keys are, by what they let into; below are partitions, and in them a folder per id. */
export function accessFolders({ base }: Pick<Paths, 'base'>) {
  return { container: `${base}/access/containers/ssh`, repository: `${base}/access/git` } as const
}

/** Leases are for a while, so they end with the boot. */
export function leaseFolder({ run }: Pick<Paths, 'run'>): string {
  return `${run}/leases`
}

export function leaseFile(paths: Pick<Paths, 'run'>, name: LeaseName): string {
  return `${leaseFolder(paths)}/${name}`
}

/** Parent of a path. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** The key of a unit's metadata that says which engine its container is on. */
export const engineKey = 'X-GearEngine'

/** Docker where a unit says nothing, as units of the original do. */
export function engineOfUnit(unitText: string): EngineKind {
  return readUnitMetadata(unitText).get(engineKey)?.[0] === 'podman' ? 'podman' : 'docker'
}
