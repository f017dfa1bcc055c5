/** The completion of the shells as `make install` leaves it, with names that are on the host at that moment. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')

beforeAll(async () => {
  await host.gearDo('install', 'gear/httpd', 'complete-1')
  await host.gearDo('set-env', 'complete-env', 'A=1')
})

afterAll(async () => {
  await host.gear('delete', '--all', 'complete-1')
  await host.sh('rm -f /var/lib/containers/env/contents/co/complete-env')
})

/** What bash would offer after these words, of which the first is the program and the last is begun. */
function inBash(...words: readonly string[]): Promise<string> {
  const [program = ''] = words
  const script = `source /usr/share/bash-completion/bash_completion; _completion_loader ${program}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_LINE=\${COMP_LINE// : /:}; COMP_POINT=\${#COMP_LINE}
    compopt() { echo "compopt $*"; }
    _${program}; printf '%s\\n' "\${COMPREPLY[@]}"`
  return host.do(['bash', '-c', script, 'bash', ...words])
}

describe('bash', () => {
  it('completes commands, live names, flags and paths', async () => {
    expect(await inBash('gear', 'list-un')).toBe('list-units\n')
    expect(await inBash('gear', 'start', 'complete')).toBe('complete-1\n')
    expect(await inBash('gear', 'set-env', 'complete')).toBe('complete-env\n')
    expect(await inBash('gear', 'start', '--dry')).toBe('--dry-run\n')
    expect(await inBash('gear', 'set-env', '--env-file', '/etc/ho')).toContain('compopt -o default')
  })

  it('knows what goes where: verbs, containers with a colon, states after a comma', async () => {
    expect(await inBash('gear', 'builds', 'st')).toBe('stop\n')
    expect(await inBash('gear', 'exec', 'compl')).toBe('complete-1\n')
    expect(await inBash('gear', 'cp', 'compl')).toBe('compopt -o nospace\ncomplete-1:\n')
    expect(await inBash('gear', 'list', '--state', 'active,inact')).toBe('active,inactive\n')
  })

  it('completes sti, with the images of the host', async () => {
    expect(await inBash('sti', 'bu')).toBe('build\n')
    expect(await inBash('sti', 'build', '--cal')).toBe('--callbackUrl\n')
    expect(await inBash('sti', 'build', '.')).toContain('compopt -o dirnames')
    expect(await inBash('sti', 'usage', 'gear/httpd-u')).toBe('gear/httpd-user\n')
  })

  it('completes without bash-completion, too', async () => {
    const words = ['gear', 'status', '127.0.0.1:43273/compl']
    const script = `source <(gear completion bash); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; _gear; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(await host.do(['bash', '--norc', '-c', script, 'bash', ...words])).toBe('43273/complete-1\n')
  })

  it('completes names on other hosts, colons and all', async () => {
    expect(await inBash('gear', 'stop', '127.0.0.1', ':', '43273/complete')).toBe('43273/complete-1\n')
  })
})

describe('fish', () => {
  it('completes with a few words about each', async () => {
    expect(
      await host.do(['fish', '--no-config', '-c', 'source /usr/share/fish/vendor_completions.d/gear.fish; complete -C "gear start comp"']),
    ).toBe('complete-1\tinactive (dead)\n')
    expect(
      await host.do([
        'fish',
        '--no-config',
        '-c',
        'source /usr/share/fish/vendor_completions.d/sti.fish; complete -C "sti build . x --savet"',
      ]),
    ).toBe('--savetempdir\tkeep the folder of the build\n')
  })
})

describe('zsh', () => {
  it('reads its script, and finds it by the name of the program', async () => {
    expect(
      await host.do([
        'zsh',
        '-f',
        '-c',
        'autoload -Uz compinit; compinit -u -D; zsh -n $^fpath/_gear(N) && zsh -n $^fpath/_sti(N) && echo $_comps[gear] $_comps[sti]',
      ]),
    ).toBe('_gear _sti\n')
  })
})

describe('man', () => {
  it('has the pages of gear, of its commands and of sti', async () => {
    expect(await host.sh('ls /usr/share/man/man1/gear.1 /usr/share/man/man1/gear-deploy.1 /usr/share/man/man1/sti.1')).toContain('sti.1')
  })
})
