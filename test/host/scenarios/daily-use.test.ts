/** What somebody notices who uses the command line all day: pipes whose reader goes, full disks, terminals, and installing again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')

beforeAll(async () => {
  await host.gearDo('install', 'gear/httpd-user', 'daily-1', '--isolate', '-v', '/data', '--memory', '1g', '--start', '--wait')
})

afterAll(async () => {
  await host.gear('delete', '--all', 'daily-1')
})

describe('an output that nobody reads any more', () => {
  it.each(['log --follow daily-1', 'list --watch', "exec daily-1 -- sh -c 'echo here; sleep 300'"])(
    'ends what follows, though there is nothing more to say: gear %s',
    async words => {
      expect(await host.do(['bash', '-c', `timeout 60 gear ${words} | head -n 1; echo \${PIPESTATUS[0]}`])).toMatch(/\n141\n$/)
    },
  )

  it('is an error when it could not be written, and no stack of ours', async () => {
    for (const words of ['version', 'list', '--version']) {
      expect(await host.exec(['bash', '-c', `gear ${words} >/dev/full`])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: 'Error: What was to be printed could not be written (ENOSPC: no space left on device, write)\n',
      })
    }
  })
})

describe('a terminal', () => {
  it('is left by top at q as it was before', async () => {
    const keys = `(until grep -q daily-1 /tmp/top.seen 2>/dev/null; do sleep 0.1; done; printf q)`
    await host.sh(`rm -f /tmp/top.seen; ${keys} | timeout 60 script -qfc 'gear top; echo "code $?"; stty -a' /tmp/top.seen >/dev/null`)
    const seen = await host.do(['cat', '/tmp/top.seen'])
    expect(seen).toMatch(/\[\?1049h[\s\S]*\[\?25h.\[\?1049l[\s\S]*daily-1[\s\S]*code 0\r\n/)
    expect(seen).toMatch(/ icanon[\s\S]* echo /)
  })
})

describe('installing again', () => {
  it('says in the plan and in the answer what is not given again, and keeps isolation that is', async () => {
    const again = ['install', 'gear/httpd-user', 'daily-1', '-v', '/data']
    expect(await host.gearDo(...again, '--isolate', '--dry-run')).toContain('it gets --memory 512m instead of --memory 1g\n')
    expect(await host.gearDo(...again)).toMatch(
      /\nIt no longer has what was not given again: --isolate\nIt now has --memory 512m instead of --memory 1g\n$/,
    )
    await host.gearDo('restart', 'daily-1', '--wait')
    await until('it runs as itself', async () => ((await host.gear('exec', 'daily-1', '--', 'true')).exitCode === 0 ? true : 'not yet'))
  })
})
