/** What each kind of step does to the host; the only file of this domain that changes anything. */
import { accountKinds, GearError, type Login } from '../../api/index.ts'
import type { Account } from '../../formats/index.ts'
import type { Host, SshFiles } from '../../host/index.ts'
import { applySteps, type StepObserver } from '../../lib/index.ts'
import { folderOf, modes } from '../layout/index.ts'
import { publicKeyOf } from './clone-key.ts'
import type { RepositoryStep, SshPlaces } from './plan.ts'
import { printKnownHost } from './repository.ts'

/** Processes that were killed are gone within moments; one that hangs in the kernel may stay. */
const endAttemptsMax = 50
const endPauseMs = 100

export interface Telling {
  /** Is given what git says, line by line. */
  readonly say: (line: string) => void
  /** Is told how far a clone is, whenever git says so. */
  readonly onProgress?: ((state: string) => void) | undefined
  readonly observe?: StepObserver<RepositoryStep> | undefined
}

/** Carries a plan out. When a repository could not be made, what was made for it is taken back. */
export async function applyRepositoryPlan(host: Host, steps: readonly RepositoryStep[], telling: Telling): Promise<void> {
  const done: RepositoryStep[] = []
  try {
    await applySteps<RepositoryStep>(steps, appliers(host, telling), async (step, when) => {
      await telling.observe?.(step, when)
      if (when === 'after') done.push(step)
    })
  } catch (error) {
    // What cannot be taken back either is found by the next look; the first failure is the one to tell.
    if (!done.some(step => step.kind === 'moveFolder')) await takeBack(host, steps, done).catch(() => undefined)
    throw error
  }
}

async function takeBack(host: Host, steps: readonly RepositoryStep[], done: readonly RepositoryStep[]): Promise<void> {
  for (const step of steps) if (step.kind === 'makeFolder') await host.files.removeTree(step.path)
  for (const step of steps) if (step.kind === 'lendKey') await host.files.remove(step.to)
  for (const step of done) {
    if (step.kind !== 'createAccount' || !step.isNew) continue
    await removeAccount(host, step.login)
    await host.files.removeTree(folderOf(step.home))
  }
}

function appliers(host: Host, { say, onProgress }: Telling): Parameters<typeof applySteps<RepositoryStep>>[1] {
  const { files, accounts, git, builder } = host
  return {
    removeFolder: async step => void (await files.removeTree(step.path)),
    createAccount: async step => {
      await accounts.create({ login: step.login, comment: accountKinds.repository.comment, home: step.home })
    },
    makeFolder: async step => {
      await files.makeFolder(step.path, modes.ownFolder)
      await accounts.own(step.path, await accountOf(host, step.login))
    },
    fill: async ({ path, login, source, mayReachHost, ssh }) => {
      const files = ssh === undefined ? {} : { ssh: await sshFiles(host, ssh) }
      const options = { mayReachHost, ...files, ...(onProgress === undefined ? {} : { onProgress }) }
      for await (const line of git.create({ path, account: login }, source, options)) say(line)
    },
    makeKey: step => makeKey(host, step),
    lendKey: async step => {
      await files.write(step.to, await readKey(host, step.from), modes.ownFile)
      await accounts.own(step.to, await accountOf(host, step.login))
    },
    learnHost: async ({ path, login, source, fingerprint, mayReachHost }) => {
      const keys = await git.hostKeys(source, { account: login, mayReachHost })
      await files.write(path, printKnownHost(source, { keys, fingerprint }), modes.publicFile)
    },
    fetchImage: async step => {
      if ((await builder.image(step.image)) !== undefined) return
      say(`Pulling ${step.image}`)
      await builder.pull(step.image, { signal: new AbortController().signal, say: sayLines(say) })
    },
    tryGithost: step => git.probe({ path: step.path, account: step.login, isInContainer: true }),
    moveFolder: async step => {
      if (await files.moveFolder(step.from, step.to)) return
      throw new GearError('STORAGE_FAILED', `${step.from} could not be moved to ${step.to}: it is not there, or the name is taken`)
    },
    endProcesses: step => endProcesses(host, step.login),
    removeAccount: step => removeAccount(host, step.login),
    writeFile: step => files.write(step.path, step.text, modes.publicFile),
    syncFolders: step => files.syncFolders(step.folders),
  }
}

/** OpenSSH's own tool writes its own form; beside the place at first, so that what is there is whole. */
async function makeKey({ files, commands }: Host, { path, login }: Extract<RepositoryStep, { readonly kind: 'makeKey' }>): Promise<void> {
  const folder = folderOf(path)
  const changed = await files.makeFolder(folder, modes.ownFolder)
  const unfinished = `${folder}/.unfinished-${login}`
  await files.remove(unfinished)
  try {
    const { exitCode, stderr } = await commands.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', login, '-f', unfinished])
    if (exitCode !== 0) throw new GearError('COMMAND_FAILED', `Could not make a key for ${login}`, { cause: new Error(stderr.trim()) })
    await files.write(path, await readKey({ files }, unfinished), modes.ownFile)
  } finally {
    await files.remove(unfinished)
    await files.remove(`${unfinished}.pub`)
  }
  await files.syncFolders([folder, ...changed])
}

async function readKey({ files }: Pick<Host, 'files'>, path: string): Promise<string> {
  const text = await files.read(path)
  if (text === undefined) throw new GearError('STORAGE_FAILED', `There is no key in ${path}`)
  return text
}

async function sshFiles(host: Host, { key, knownHosts }: SshPlaces): Promise<SshFiles> {
  const { publicKey } = await publicKeyOf(host, key)
  return { keyPath: key, knownHostsPath: knownHosts, publicKey }
}

/** What comes in pieces, as lines. The last one of a tool that fails is in the error as well. */
function sayLines(say: (line: string) => void): (text: string) => void {
  let rest = ''
  return text => {
    const lines = (rest + text).split(/[\r\n]+/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') say(line)
  }
}

async function accountOf({ accounts }: Pick<Host, 'accounts'>, login: Login): Promise<Account> {
  const account = await accounts.find(login)
  if (account === undefined) throw new GearError('ACCOUNT_FAILED', `The account ${login} is not there`)
  return account
}

/** All that runs as the account belongs to sessions of this repository. */
async function endProcesses(host: Pick<Host, 'accounts' | 'commands'>, login: Login): Promise<void> {
  const { uid } = await accountOf(host, login)
  const { exitCode, stderr } = await host.commands.run('pkill', ['--signal', 'KILL', '--uid', String(uid)])
  // 1: there were none (pkill(1))
  if (exitCode > 1) throw new GearError('COMMAND_FAILED', `The processes of ${login} could not be ended: ${stderr.trim()}`)
}

/** An account is in use until the kernel has cleared its last process away. */
async function removeAccount({ accounts, clock }: Pick<Host, 'accounts' | 'clock'>, login: Login): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await accounts.remove(login)
      return
    } catch (error) {
      if (attempt === endAttemptsMax || !(error instanceof GearError) || error.code !== 'ACCOUNT_FAILED') throw error
      await clock.sleep(endPauseMs)
    }
  }
}
