/** Somebody who pushes to one repository of a lab host from that host. */
import { GitUser } from './git-user.ts'
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
  const user = await GitUser.make(host, folder, ['key'])
  await user.letIn('key', id, 'write')
  await user.doAs('key', `git init -q -b main clone; git -C clone remote add origin git-${id}@localhost:~`)
  const run = (line: string): Promise<Outcome> => user.as('key', `cd clone; ${line}`)
  return { folder: `${folder}/clone`, run, push: message => run(`git add .; git commit -q -m '${message}'; git push origin main`) }
}
