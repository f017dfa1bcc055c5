/** Files in and out of a container with scp and sftp as people have them, where the image has the server's side. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const client = new LabHost('web2')
const options = '-o LogLevel=ERROR -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -i /root/files-key'

describe.each(['docker', 'podman'])('a container on %s', engine => {
  const id = `files-${engine}`
  let target = ''
  const inside = (command: string) => host.do([engine, 'exec', id, 'sh', '-c', command])

  beforeAll(async () => {
    target = `ctr-${id}@${await host.address()}`
    await client.sh(
      `rm -rf /root/files-key* /root/sent /root/came; ssh-keygen -q -t ed25519 -N "" -f /root/files-key
       mkdir -p /root/sent/deep /root/came; head -c 3000000 /dev/urandom > /root/sent/large; echo 'two words' > '/root/sent/deep/a name'
       chmod 640 /root/sent/large; touch -d '2020-02-03 04:05:06' /root/sent/large; ln -s large /root/sent/link`,
    )
    await host.gearDo('install', 'gear/sftp', id, '--isolate', '--engine', engine, '--start', '--wait')
    await host.do(['gear', 'add-keys', id], { input: await client.do(['cat', '/root/files-key.pub']) })
  })
  afterAll(() => host.gear('delete', '--all', id))

  it.each([
    ['scp', 'scp'],
    ['scp as it was', 'scp -O'],
  ])('takes and gives folders by %s, with modes and times, as files of its account', async (_, scp) => {
    await client.sh(
      `${scp} ${options} -r -p /root/sent ${target}:/tmp/sent
       rm -rf /root/came; ${scp} ${options} -r -p ${target}:/tmp/sent /root/came; diff -r /root/sent /root/came`,
    )
    expect(await inside('stat -c "%a %u %Y" /tmp/sent/large')).toBe(`640 ${(await host.do(['id', '-u', `ctr-${id}`])).trim()} 1580702706\n`)
    expect(await client.do(['stat', '-c', '%a %Y', '/root/came/large'])).toBe('640 1580702706\n')
    await inside('rm -r /tmp/sent')
  })

  it('does what a batch of sftp says, and tells which line failed', async () => {
    const batch = [
      'mkdir /tmp/batch',
      'put /root/sent/large /tmp/batch/first',
      'rename /tmp/batch/first /tmp/batch/second',
      'chmod 600 /tmp/batch/second',
      'symlink /tmp/batch/second /tmp/batch/link',
      'get /tmp/batch/link /root/came-by-link',
      'ls -1 /tmp/batch',
      'rm /tmp/batch/link',
    ]
    const listed = await client.do(['sh', '-c', `sftp ${options} -b - ${target}`], { input: batch.join('\n') })
    expect(listed).toMatch(/^\/tmp\/batch\/link *\n\/tmp\/batch\/second *$/m)
    await client.sh('cmp /root/sent/large /root/came-by-link')
    expect(await inside('stat -c %a /tmp/batch/*')).toBe('600\n')
    const failing = await client.exec(['sh', '-c', `sftp ${options} -b - ${target}`], {
      input: 'put /root/sent/large /etc/owned\nmkdir /tmp/after\n',
    })
    expect(failing).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/\/etc\/owned.*Permission denied/i) })
    expect(await inside('ls /tmp')).not.toContain('after')
  })

  it('shows no file of the host, also by links', async () => {
    await inside('ln -sfn /var/lib/containers /tmp/host; ln -sfn ../../../../../../proc/1/root/etc/shadow /tmp/shadow')
    const outcome = await client.exec(['sh', '-c', `sftp ${options} ${target}`], {
      input: 'ls /tmp/host/\nget /tmp/shadow /root/came-shadow\nget /etc/passwd /root/came-passwd\n',
    })
    expect(outcome.stderr).toMatch(/\/tmp\/host\/.*(not found|No such file)/i)
    expect(await client.sh('ls /root/came-shadow 2>/dev/null || :')).toBe('')
    expect(await client.do(['cat', '/root/came-passwd'])).toBe(await inside('cat /etc/passwd'))
  })
})
