/** What `gear daemon --check` reports: tools and settings of the host that gear needs and that nothing else would mention until too late. */
import { explain, GearError } from '../api/index.ts'
import { printTable } from '../formats/index.ts'
import { type Engine, type Host, tools } from '../host/index.ts'
import { groupEntry, groupName } from './callers.ts'

export interface Finding {
  readonly subject: string
  /** `missing`: gear does not work without it. `advice`: works, with the disadvantage that is told. */
  readonly state: 'ok' | 'missing' | 'advice'
  readonly detail: string
}

type Checked = Pick<Host, 'files' | 'units' | 'engines'>

/** In the order in which they should be repaired. */
export async function checkHost(host: Checked): Promise<readonly Finding[]> {
  const engine = await host.engines.choose()
  return [
    ...(await checkTools(host, engine)),
    await checkSystemd(host),
    await checkEngine(engine),
    await checkGroup(host),
    await checkLogins(host),
    await checkJournal(host, engine),
  ]
}

export function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== 'missing')
}

export function findingsText(findings: readonly Finding[]): string {
  return printTable(
    ['CHECK', 'STATE', 'DETAIL'],
    findings.map(({ subject, state, detail }) => [subject, state, detail]),
  )
}

/** The CLI of the engine that is not used is not needed. */
async function checkTools({ files }: Checked, engine: Engine): Promise<readonly Finding[]> {
  const other = engine.kind === 'docker' ? 'podman' : 'docker'
  const needed = Object.entries(tools).filter(([name]) => name !== other)
  const all = needed.map(async ([name, tool]): Promise<Finding> => {
    if (await files.exists(tool.path)) return { subject: name, state: 'ok', detail: tool.path }
    const install = `apt-get install ${tool.package}`
    if ('onlyFor' in tool) return { subject: name, state: 'advice', detail: `${install}, for ${tool.onlyFor}` }
    return { subject: name, state: 'missing', detail: install }
  })
  return Promise.all(all)
}

async function checkSystemd({ units }: Checked): Promise<Finding> {
  return answering('systemd', () => units.ping())
}

async function checkEngine(engine: Engine): Promise<Finding> {
  return answering(engine.kind, () => engine.ping())
}

async function answering(subject: string, ping: () => Promise<void>): Promise<Finding> {
  try {
    await ping()
    return { subject, state: 'ok', detail: 'answers' }
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    return { subject, state: 'missing', detail: `${explain(error)}. ${error.entry.next}` }
  }
}

async function checkGroup({ files }: Checked): Promise<Finding> {
  const subject = `group ${groupName}`
  const entry = groupEntry((await files.read('/etc/group')) ?? '')
  if (entry !== undefined) return { subject, state: 'ok', detail: `its members may call: ${entry.members.join(', ') || 'none so far'}` }
  return {
    subject,
    state: 'advice',
    detail: `only root may call; groupadd --system ${groupName} lets others in, who are then as good as root`,
  }
}

/** What a login by SSH passes through, in that order; `make install` puts all but the first and the sudo there. */
const loginFiles: readonly (readonly [path: string, remedy: string])[] = [
  ['/usr/sbin/sshd', 'apt-get install openssh-server'],
  ['/etc/ssh/sshd_config.d/50-gear.conf', 'make install'],
  ['/usr/sbin/gear-auth-keys-command', 'make install'],
  ['/usr/bin/switchns', 'make install'],
  ['/usr/bin/sudo', 'apt-get install sudo'],
  ['/etc/sudoers.d/gear', 'make install'],
]

const includesDropIns = /^\s*Include\s+(.*\s)?\/etc\/ssh\/sshd_config\.d\/\*\.conf/im
const includesRules = /^\s*[@#]includedir\s+\/etc\/sudoers\.d\s*$/m

async function checkLogins({ files }: Checked): Promise<Finding> {
  const subject = 'ssh logins'
  const advice = (detail: string): Finding => ({
    subject,
    state: 'advice',
    detail: `nobody can log in to containers and repositories: ${detail}`,
  })
  for (const [path, remedy] of loginFiles) if (!(await files.exists(path))) return advice(`${path} is missing (${remedy})`)
  const [sshd = '', sudoers = ''] = await Promise.all(['/etc/ssh/sshd_config', '/etc/sudoers'].map(path => files.read(path)))
  if (!includesDropIns.test(sshd)) return advice('/etc/ssh/sshd_config needs a first line: Include /etc/ssh/sshd_config.d/*.conf')
  if (!includesRules.test(sudoers)) return advice('/etc/sudoers needs a last line: @includedir /etc/sudoers.d')
  return { subject, state: 'ok', detail: 'sshd asks for the keys of ctr-… and git-… accounts' }
}

/** Where the packaged drop-in may be; see packaging/docker-journal.conf for why it is needed. */
const journalDropIns = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'].map(
  folder => `${folder}/docker.service.d/gear-journal.conf`,
)

async function checkJournal({ files }: Checked, engine: Engine): Promise<Finding> {
  const subject = 'journal limit'
  if (engine.kind !== 'docker') return { subject, state: 'ok', detail: 'each unit has its own' }
  for (const path of journalDropIns) if (await files.exists(path)) return { subject, state: 'ok', detail: path }
  return {
    subject,
    state: 'advice',
    detail: `one chatty container silences the others; ${journalDropIns[0]} is missing (restart docker after adding it)`,
  }
}
