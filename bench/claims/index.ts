/**
 * What gear claims of its speed and size, by the name under which each claim is measured, in the order of the page and of a run. One file a subject, read where it is
 * measured; what is here can be read without measuring anything.
 */
import type { LabHost } from '../../test/host/lab-host.ts'
import type { Measurement } from '../finding.ts'

export type Hosts = readonly [string, ...string[]]

export interface Claim {
  /** As the page has it. */
  readonly title: string
  /** One or two sentences for somebody who never saw the code: what is measured, beside what. */
  readonly about: string
  /** What it takes on a quiet machine of two processors, about, the boot of its hosts included. */
  readonly seconds: number
  /** The hosts it needs, the measuring one first; one unless it says more. Agents of several serve each other without a token. */
  readonly hosts?: Hosts
  /** Done before on the machine of the lab, with what a lab host cannot reach by itself. */
  readonly prepare?: (host: LabHost) => Promise<AsyncDisposable>
  readonly load: () => Promise<(hosts: Hosts) => Promise<readonly Measurement[]>>
}

export const claims: Readonly<Record<string, Claim>> = {
  serving: {
    title: 'From nothing to the first page served, on Docker',
    about:
      'A small web server is installed and started until it answers its first request, through the API, with the command line, and with `docker run -d` of the same image and port, in turns.',
    seconds: 45,
    load: async () => (await import('./serving.ts')).measure,
  },
  'serving-podman': {
    title: 'From nothing to the first page served, on Podman',
    about: 'The same on Podman, beside `podman run -d`.',
    seconds: 50,
    load: async () => async () => (await import('./serving.ts')).serving('podman'),
  },
  'start-stop': {
    title: 'Starting and stopping one container, on Docker',
    about:
      'An installed container is started until it runs and stopped until it is gone, with `systemctl`, over the API and with the command line. Beside it: a new container with `docker run -d` and its end with `docker stop` and `docker rm` (which is what a start and a stop of the unit do), `docker start` and `docker stop` of one that stays, and a plain unit that runs the same program without a container.',
    seconds: 60,
    load: async () => (await import('./start-stop.ts')).measure,
  },
  'start-stop-podman': {
    title: 'Starting and stopping one container, on Podman',
    about: 'The same on Podman; beside it also a unit that `podman generate systemd --new` wrote.',
    seconds: 75,
    load: async () => async () => (await import('./start-stop.ts')).startStop('podman'),
  },
  fleet: {
    title: '1, 50 and 200 containers, on Docker',
    about:
      'So many units are started, twenty at a time, until all their containers run; then their memory is read; then all are stopped, twenty at a time. Times are divided by the number. The memory is that of the processes beside a container, not of its own: what the unit runs, and with it what the engine runs (shim and port proxies). Beside it: units as they are written by hand, around `docker run --rm` of the same image, whose client stays attached.',
    seconds: 240,
    load: async () => (await import('./fleet.ts')).measure,
  },
  'fleet-podman': {
    title: '1, 50 and 200 containers, on Podman',
    about:
      'The same on Podman, beside units that `podman generate systemd --new` wrote, and for memory also beside the attached client of `podman run`. Here all processes beside a container are conmon alone.',
    seconds: 240,
    load: async () => async () => (await import('./fleet.ts')).fleet('podman'),
  },
  'new-containers': {
    title: 'Installing beside 1,000 containers',
    about:
      'A container is installed over the API on a host that has 1,000 others; and the last hundred of these 1,000 are compared with the first. Beside it: what a server of the same Node that does nothing takes for the same request, and one small file written so that it survives a power cut.',
    seconds: 90,
    load: async () => (await import('./new-containers.ts')).measure,
  },
  'five-hundred': {
    title: 'Installing 500 containers',
    about:
      '500 containers are installed one after the other over one connection, on each engine, and systemd’s reloads are counted. Beside it: what has to be done without gear, which is a container made with the engine’s command line, and for Podman a unit file written by `podman generate systemd`.',
    seconds: 120,
    load: async () => (await import('./five-hundred.ts')).measure,
  },
  reads: {
    title: 'Looking beside 1,000 containers',
    about: 'Reads over the API on a host with 1,201 containers; beside each, a server that does nothing but send as many bytes.',
    seconds: 60,
    load: async () => (await import('./reads.ts')).measure,
  },
  changes: {
    title: 'Changing beside 1,000 containers',
    about:
      'Changes over the API until they are answered: they are queued or written by then. Deletes and updates wait for systemd to reload.',
    seconds: 60,
    load: async () => (await import('./changes.ts')).measure,
  },
  sixteen: {
    title: 'Sixteen connections against one, on Docker',
    about:
      'The same installs and looks over one connection and over sixteen at once: how many are done in a second, how long each takes, and how many fail.',
    seconds: 30,
    load: async () => (await import('./sixteen.ts')).measure,
  },
  'sixteen-podman': {
    title: 'Sixteen connections against one, on Podman',
    about: 'The same for containers of Podman.',
    seconds: 30,
    load: async () => async () => (await import('./sixteen.ts')).sixteen('podman'),
  },
  reloads: {
    title: 'Reloads of systemd',
    about: 'How often systemd is made to read all its units again by 200 installs, and by 10 installs with a start.',
    seconds: 30,
    load: async () => (await import('./reloads.ts')).measure,
  },
  commands: {
    title: 'The command line',
    about: 'Commands from their start to their end, beside an empty script on the same Node.',
    seconds: 40,
    load: async () => (await import('./commands.ts')).measure,
  },
  log: {
    title: 'Following a log',
    about:
      'A log of 100,000 lines that is followed from its beginning, over the API with curl and with `gear log --follow`, beside `journalctl --follow` of the same unit.',
    seconds: 60,
    load: async () => (await import('./log.ts')).measure,
  },
  links: {
    title: 'Links',
    about:
      'How long links to other hosts take to be applied to a running container and to be set over the API; and what goes through one, beside what goes to its target directly.',
    seconds: 60,
    load: async () => (await import('./links.ts')).measure,
  },
  deploy: {
    title: 'Deployments',
    about:
      'A deployment of 30 linked containers on three hosts until all of them run, beside a shell’s loop of `gear install`, `gear link` and `gear start`; and how long the plan of a very large one takes.',
    seconds: 120,
    hosts: ['bench', 'bench2', 'bench3'],
    load: async () => (await import('./deploy.ts')).measure,
  },
  logins: {
    title: 'Logins and commands in containers',
    about:
      '`ssh` into a container beside `ssh` to an ordinary account; a command in a container over the API beside the engine’s own API, called by the same client, and with the command line beside `docker exec`.',
    seconds: 60,
    load: async () => (await import('./logins.ts')).measure,
  },
  cloning: {
    title: 'Cloning a repository',
    about: '`git clone` of 50 MB over SSH from a repository that gear looks after, beside the same from an ordinary account.',
    seconds: 30,
    load: async () => (await import('./cloning.ts')).measure,
  },
  githost: {
    title: 'Cloning a repository that git serves from a container',
    about:
      '`git clone` of 50 MB over SSH from a repository with `--githost`, beside the same container started by hand with `docker run`, and beside plain git: what the container itself costs.',
    seconds: 45,
    load: async () => (await import('./cloning.ts')).measureGithost,
  },
  builds: {
    title: 'Building an image from source',
    about:
      '`gear build` of a source of 10 MB, beside the same steps by hand with `docker create`, `docker cp` and `docker commit`. And a Node application of some 500 packages of the npm registry: its second build, which takes them over from the first, beside the first, for which they are fetched from a relay on the same machine that has them in memory.',
    seconds: 420,
    prepare: async host => (await import('../node-application.ts')).prepareApplication(host),
    load: async () => (await import('./builds.ts')).measure,
  },
  idle: {
    title: 'The agent at rest',
    about:
      'Ten minutes in which nobody calls an agent that looks after 500 containers: its memory, and the processor time it takes, beside the Docker daemon on the same host.',
    seconds: 625,
    load: async () => (await import('./idle.ts')).measure,
  },
}
