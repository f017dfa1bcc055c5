/** An agent whose administrator has moved its folders: what sshd starts finds them, though it sees nothing of the agent's settings. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const client = new LabHost('web2')
const base = '/srv/gear-state'
const options = '-o LogLevel=ERROR -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -i /root/moved-key'
let address = ''

const settings = '/etc/default/gear'

beforeAll(async () => {
  address = await host.address()
  await client.sh('rm -rf /root/moved*; ssh-keygen -q -t ed25519 -N "" -f /root/moved-key')
  await host.sh(`cp ${settings} /root/default-gear; printf 'GEARD_BASE_PATH=${base}\\nGEARD_RUN_PATH=/run/gear-moved\\n' >> ${settings}
    systemctl restart gear.service`)
  await host.untilAgentIsUp()
})
afterAll(async () => {
  for (const engine of ['docker', 'podman']) await host.gear('delete', '--all', `moved-${engine}`)
  await host.exec(['gear', 'delete-repo', 'moved-src'])
  await host.sh(`cp /root/default-gear ${settings}; systemctl restart gear.service; rm -rf ${base} /run/gear-moved`)
  await host.untilAgentIsUp()
})

const publicKey = () => client.do(['cat', '/root/moved-key.pub'])

describe.each(['docker', 'podman'])('a container on %s below folders that were moved', engine => {
  const id = `moved-${engine}`
  const login = (command: string) => client.exec(['sh', '-c', `ssh ${options} ctr-${id}@${address} '${command}'`])

  it('is logged in to with a key, until the key is taken back', async () => {
    await host.gearDo('install', 'gear/httpd-user', id, '--isolate', '--engine', engine, '-p', '8080:0', '--start', '--wait')
    await host.do(['gear', 'add-keys', id], { input: await publicKey() })
    expect(await host.sh(`getent passwd ctr-${id} | cut -d: -f6`)).toBe(`${base}/home/mo/${id}/home\n`)
    const keys = await host.do(['runuser', '-u', 'nobody', '--', '/usr/sbin/gear-auth-keys-command', `ctr-${id}`])
    expect(keys).toContain(`permitopen="127.0.0.1:${await host.port(id)}"`)
    expect(await login('id -u')).toEqual({ exitCode: 0, stdout: await host.do(['id', '-u', `ctr-${id}`]), stderr: '' })
    await host.do(['gear', 'keys', 'remove', id, '--key-file', '-'], { input: await publicKey() })
    expect((await login('id -u')).exitCode).toBe(255)
  })

  it('is not looked for where the caller says', async () => {
    const planted = '/tmp/planted-state'
    await host.sh(
      `install -d -o nobody ${planted}/units/mo ${planted}/access/containers/ssh/mo/${id}
       cp ${base}/units/mo/ctr-${id}.service ${planted}/units/mo/; cat > ${planted}/access/containers/ssh/mo/${id}/key`,
      { input: await publicKey() },
    )
    const asked = await host.exec(['env', `GEARD_BASE_PATH=${planted}`, '/usr/sbin/gear-auth-keys-command', `ctr-${id}`])
    expect(asked.stdout).toBe('')
    await host.do(['rm', '-r', planted])
  })
})

describe('a repository below folders that were moved', () => {
  it('is pushed to and cloned', async () => {
    await host.gearDo('create-repo', 'moved-src')
    await host.do(['gear', 'add-keys', 'repo://moved-src', '--write'], { input: await publicKey() })
    const url = `git-moved-src@${address}:~`
    await client.sh(
      `export GIT_SSH_COMMAND='ssh ${options}'; git init -q -b main /root/moved-src; cd /root/moved-src
       git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first; git push -q ${url} main 2>/dev/null
       git clone -q -b main ${url} /root/moved-clone`,
    )
    expect(await client.sh('git -C /root/moved-clone log --format=%s')).toBe('first\n')
  })
})
