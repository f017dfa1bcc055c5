/**
 * Cloning over SSH costs little more than plain git over the same SSH: at most 1.1 times for a repository of 50 MB. The peer is an ordinary account with
 * a shell, to which the same sshd leads with an ordinary authorized_keys file.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { childEnvironment } from '../children.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 5
const blobBytes = 50_000_000
const id = 'bench-repo'

export async function measure(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(`${tmpdir()}/gear-bench-`)
  const key = `${folder}/key`
  try {
    sh(`ssh-keygen -q -t ed25519 -N '' -f ${key}
      git init -q ${folder}/source; cd ${folder}/source
      head -c ${blobBytes} /dev/urandom > blob; git add .
      git -c core.compression=0 -c user.name=n -c user.email=n@example commit -q -m blob
      git clone -q --bare . /srv/git/${id}.git`)
    sh(`gear create-repo ${id} /srv/git/${id}.git; gear add-keys repo://${id} --key-file ${key}.pub`)
    sh(`useradd --create-home --shell /bin/sh --password '*' plain-git
      install -d -m 700 -o plain-git ~plain-git/.ssh; install -m 600 -o plain-git ${key}.pub ~plain-git/.ssh/authorized_keys
      cp -R /var/lib/containers/git/${id} ~plain-git/repository; chown -R plain-git ~plain-git/repository`)
    const ours: number[][] = []
    const plain: number[][] = []
    for (let repetition = -1; repetition < repetitions; repetition++) {
      const samples = [cloneMs(`git-${id}@localhost:~`, folder), cloneMs('plain-git@localhost:repository', folder)] as const
      if (repetition < 0) continue // the first round fills the page cache
      ours.push([samples[0]])
      plain.push([samples[1]])
    }
    const peers = [{ name: 'git clone from an ordinary account', samples: plain }]
    return [{ what: 'git clone of 50 MB over SSH', unit: 'ms', samples: ours, peers, goal: { of: 'ratio', atMost: 1.1 } }]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function cloneMs(address: string, folder: string): number {
  const ssh = `ssh -i ${folder}/key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`
  const startMs = performance.now()
  execFileSync('git', ['clone', '--quiet', '--bare', address, `${folder}/clone`], {
    env: { ...childEnvironment, GIT_SSH_COMMAND: ssh },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ms = performance.now() - startMs
  rmSync(`${folder}/clone`, { recursive: true })
  return ms
}

function sh(lines: string): void {
  execFileSync('/bin/sh', ['-euc', lines], { env: childEnvironment, stdio: ['ignore', 'ignore', 'inherit'] })
}
