/** The commands there are, with the line that the overview shows for each. */
export const summaries = {
  install: 'Install an image as a systemd service on one or more hosts',
  start: 'Start containers, now and at every boot',
  stop: 'Stop containers, and do not start them at boot',
  restart: 'Restart containers',
  status: 'Show how containers are',
  log: 'Show the log of containers',
  'list-units': 'List the containers of hosts',
  top: 'Show what the containers of hosts need, live',
  'list-images': 'List the images that hosts have',
  delete: 'Stop containers and remove them',
  deploy: 'Place the instances of a deployment file on hosts',
  deployment: 'Show what a deployment file describes',
  leases: 'List the deploys that are under way on hosts',
  env: 'Print environments',
  'set-env': 'Add variables to environments, or replace them',
  exec: 'Run a command in a container',
  cp: 'Copy files and folders into and out of containers',
  shell: 'Open a shell in a container',
  keys: 'List and remove the public SSH keys that are let in',
  'add-keys': 'Let public SSH keys into containers and repositories',
  'auth-keys-command': 'Write the authorized_keys file of an account of gear on this machine',
  'create-repo': 'Create a git repository, empty or cloned',
  'list-repos': 'List the repositories of hosts',
  'deploy-repo': 'Build what was pushed last, and restart its container',
  'repo-key': 'Print the key with which a private repository is cloned',
  'delete-repo': 'Remove repositories',
  link: 'Set what containers see at local addresses and is elsewhere',
  build: 'Make an image from source with a builder image',
  builds: 'List the builds of hosts, show their logs, stop them',
  purge: 'Stop and disable every container of hosts',
  init: 'Prepare a container for a unit of the original geard',
  'init-repo': 'Make a repository on this machine; what create-repo runs',
  daemon: 'Run the agent',
  api: 'Call any operation of the API',
  explain: 'Explain the code of an error',
  completion: 'Print the completion script of a shell',
  version: 'Print the version',
} as const

export type CommandName = keyof typeof summaries

/** Commands that only a Linux host can carry out; elsewhere gear is a client of such hosts (spec §2.3). */
export const linuxCommands: ReadonlySet<string> = new Set<string>(['auth-keys-command', 'daemon', 'init', 'init-repo'])

const systemNames: Readonly<Record<string, string>> = { darwin: 'macOS', win32: 'Windows', freebsd: 'FreeBSD', openbsd: 'OpenBSD' }

/** The name by which people know a system. */
export function systemName(platform: string): string {
  return systemNames[platform] ?? platform
}

/** Other names of commands. */
export const commandAliases: Readonly<Record<string, CommandName>> = { list: 'list-units' }

/** Names by which people know the same from other programs; they are told ours. */
export const foreignNames: Readonly<Record<string, CommandName>> = {
  ps: 'list-units',
  ls: 'list-units',
  units: 'list-units',
  containers: 'list-units',
  images: 'list-images',
  run: 'install',
  create: 'install',
  rm: 'delete',
  remove: 'delete',
  uninstall: 'delete',
  kill: 'stop',
  reload: 'restart',
  logs: 'log',
  journal: 'log',
  inspect: 'status',
  show: 'status',
  environment: 'env',
  setenv: 'set-env',
}

export function commandNamed(name: string): CommandName | undefined {
  if (Object.hasOwn(summaries, name)) return name as CommandName
  return Object.hasOwn(commandAliases, name) ? commandAliases[name] : undefined
}
