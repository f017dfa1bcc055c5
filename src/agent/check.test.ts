import { expect, test } from 'vitest'
import { GearError } from '../api/index.ts'
import { type FakeHost, fakeHost } from '../host/fakes.ts'
import { tools } from '../host/index.ts'
import { checkHost, findingsText, isFit } from './check.ts'

function wholeHost(engine: 'docker' | 'podman' = 'docker'): FakeHost {
  const host = fakeHost({ engine })
  for (const { path } of Object.values(tools)) host.files.put(path, '')
  host.files.put('/etc/group', 'gear:x:990:alice\n')
  host.files.put('/etc/systemd/system/docker.service.d/gear-journal.conf', '[Service]\n')
  for (const path of ['/usr/sbin/sshd', '/usr/sbin/gear-auth-keys-command', '/usr/bin/switchns', '/usr/bin/sudo', '/etc/sudoers.d/gear']) {
    host.files.put(path, '')
  }
  host.files.put('/etc/ssh/sshd_config.d/50-gear.conf', '')
  host.files.put('/etc/ssh/sshd_config', 'Include /etc/ssh/sshd_config.d/*.conf\n')
  host.files.put('/etc/sudoers', 'Defaults env_reset\n@includedir /etc/sudoers.d\n')
  return host
}

test('a host that has everything is fit', async () => {
  const findings = await checkHost(wholeHost())
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(isFit(findings)).toBe(true)
})

test('a missing tool is named with the package it comes in', async () => {
  const host = wholeHost()
  await host.files.remove(tools.curl.path)
  const findings = await checkHost(host)
  expect(isFit(findings)).toBe(false)
  expect(findingsText(findings)).toMatch(/^curl +missing +apt-get install curl$/m)
})

test('an engine or a systemd that does not answer is told with what to do', async () => {
  const host = wholeHost()
  host.engine.fail('ping', '*', new GearError('ENGINE_UNAVAILABLE', 'No answer on docker.sock'))
  host.units.fail('ping', '*', new GearError('SYSTEMD_UNAVAILABLE', 'No bus'))
  const text = findingsText(await checkHost(host))
  expect(text).toMatch(/^docker +missing +.*systemctl status docker/m)
  expect(text).toMatch(/^systemd +missing +.*dbus\.service/m)
})

test('what only makes gear worse is advice', async () => {
  const host = wholeHost()
  host.files.put('/etc/group', 'root:x:0:\n')
  await host.files.remove('/etc/systemd/system/docker.service.d/gear-journal.conf')
  const findings = await checkHost(host)
  expect(isFit(findings)).toBe(true)
  expect(findings.filter(({ state }) => state === 'advice').map(({ subject }) => subject)).toEqual(['group gear', 'journal limit'])
})

test('logins by SSH that would not work are advice, with the first thing that is missing', async () => {
  const told = async (host: FakeHost) => (await checkHost(host)).find(({ subject }) => subject === 'ssh logins')
  const host = wholeHost()
  expect((await told(host))?.state).toBe('ok')
  host.files.put('/etc/sudoers', 'Defaults env_reset\n')
  expect((await told(host))?.detail).toContain('@includedir')
  host.files.put('/etc/ssh/sshd_config', '# Include /etc/ssh/sshd_config.d/*.conf\n')
  expect((await told(host))?.detail).toContain('/etc/ssh/sshd_config needs a first line')
  await host.files.remove('/usr/sbin/sshd')
  expect(await told(host)).toMatchObject({ state: 'advice', detail: expect.stringContaining('openssh-server') })
})

test('a host with podman alone is fit, and needs nothing of docker', async () => {
  const host = wholeHost('podman')
  await host.files.remove(tools.docker.path)
  const findings = await checkHost(host)
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(findings.map(({ subject }) => subject)).toContain('podman')
})
