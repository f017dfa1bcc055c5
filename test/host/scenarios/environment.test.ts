/** Environments on a real host, hostile ones among them: a variable reaches the container and nothing else. */
import { afterAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')

onBothEngines(host, engine => {
  afterAll(async () => {
    for (const id of ['plainenv', 'hostile', 'shared1', 'shared2']) await host.gear('delete', '--all', id)
  })

  describe('an environment', () => {
    it('reaches the container, from a file and from arguments, and is shared under its id', async () => {
      await host.sh('printf "FROM_FILE=yes\\nBOTH=file\\n# a comment\\n" > /tmp/variables')
      await host.gearDo(
        'install',
        'gear/busybox',
        'shared1',
        'BOTH=argument',
        '--env-file',
        '/tmp/variables',
        '--env-id',
        'sharedenv',
        '--start',
        '--wait',
      )
      await host.gearDo('install', 'gear/busybox', 'shared2', '--env-id', 'sharedenv', '--start', '--wait')
      for (const id of ['shared1', 'shared2']) {
        const variables = await engine.do('inspect', '-f', '{{range .Config.Env}}{{println .}}{{end}}', id)
        expect(variables.split('\n')).toEqual(expect.arrayContaining(['FROM_FILE=yes', 'BOTH=argument']))
      }
    })

    it('that is hostile does not reach the tools of root that start the container', async () => {
      const evil = [
        'LD_PRELOAD=/tmp/evil.so',
        'LD_LIBRARY_PATH=/tmp',
        'DOCKER_HOST=tcp://127.0.0.1:1',
        'DOCKER_CONFIG=/tmp/evil',
        'PATH=/tmp/evil',
        'HOME=/tmp/evil',
        'NODE_OPTIONS=--require /tmp/evil.js',
        'BASH_ENV=/tmp/evil.sh',
        'ENV=/tmp/evil.sh',
        'IFS=x',
        'CURL_HOME=/tmp/evil',
        'GEARD_BASE_PATH=/tmp/evil',
        'X=%n%i$HOME`touch /tmp/owned`',
      ]
      await host.sh('rm -f /tmp/owned; mkdir -p /tmp/evil; printf "#!/bin/sh\\ntouch /tmp/owned\\n" > /tmp/evil.sh; cat > /tmp/evil.env', {
        input: `${evil.join('\n')}\n`,
      })
      await host.sh('echo "process.getBuiltinModule(\\"fs\\").writeFileSync(\\"/tmp/owned\\", \\"\\")" > /tmp/evil.js')
      const outcome = await host.gear('install', 'gear/exit0', 'hostile', '--env-file', '/tmp/evil.env', '--start', '--wait')
      expect(outcome.stderr.replace(/^.*generated.*\n/gm, '')).not.toMatch(/Error/)
      await host.gearDo('restart', 'hostile', '--wait')
      await host.gearDo('stop', 'hostile')
      expect((await host.exec(['ls', '/tmp/owned'])).exitCode).not.toBe(0)
      expect(await host.sh('grep -c -e Environment /var/lib/containers/units/ho/ctr-hostile.service || true')).toBe('1\n')
      expect(await host.sh('journalctl -u gear.service -u ctr-hostile.service --no-pager | grep -c evil || true')).toBe('0\n')
    })
  })
})

describe('an environment', () => {
  it('is stored, shown verbatim, added to and replaced', async () => {
    await host.gearDo('set-env', 'plainenv', 'A=1', 'B=two words', 'QUOTED=\\"foo\\"')
    expect(await host.gearDo('env', 'plainenv')).toBe('A=1\nB=two words\nQUOTED=\\"foo\\"\n')
    await host.gearDo('set-env', 'plainenv', 'A=3')
    expect(await host.gearDo('env', 'plainenv')).toContain('A=1\nB=two words\nQUOTED=\\"foo\\"\nA=3\n')
    await host.gearDo('set-env', 'plainenv', '--reset', 'C=4')
    expect(await host.gearDo('env', 'plainenv')).toBe('C=4\n')
    expect(await host.do(['stat', '-c', '%a', '/var/lib/containers/env/contents/pl/plainenv'])).toBe('660\n')
  })
})
