/** Somebody who pushes to a repository of a lab host from that host: with a key, a clean home and a clone. */
import type { LabHost, Outcome } from './lab-host.ts'

export interface Pusher {
  /** The clone; what is pushed is `main` of it. */
  readonly folder: string
  /** A line of shell in the clone; any exit code is a result. */
  run(line: string): Promise<Outcome>
  /** Commits what is there and pushes; what the pusher saw. */
  push(message: string): Promise<Outcome>
}

/** Makes the key, lets it into the repository, and begins an empty clone in the folder. */
export async function makePusher(host: LabHost, id: string, folder: string): Promise<Pusher> {
  await host.sh(`rm -rf ${folder}; mkdir -p ${folder}/clone; ssh-keygen -q -t ed25519 -N "" -f ${folder}/key
    cd ${folder}/clone; git init -q -b main; git remote add origin git-${id}@localhost:~`)
  await host.gearDo('add-keys', `repo://${id}`, '--write', '--key-file', `${folder}/key.pub`)
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
  const variables = [
    'PATH=/usr/bin:/bin',
    `HOME=${folder}`,
    `GIT_SSH_COMMAND=ssh -i ${folder}/key ${options.map(option => `-o ${option}`).join(' ')}`,
    ...['AUTHOR', 'COMMITTER'].flatMap(who => [`GIT_${who}_NAME=n`, `GIT_${who}_EMAIL=n@example`]),
  ]
  const run = (line: string): Promise<Outcome> =>
    host.exec(['/usr/bin/env', '-i', ...variables, '/bin/sh', '-euc', `cd ${folder}/clone; ${line}`])
  return {
    folder: `${folder}/clone`,
    run,
    push: message => run(`git add .; git commit -q -m '${message}'; git push origin main`),
  }
}
