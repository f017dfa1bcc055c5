import { describe, expect, it } from 'vitest'
import { type Hardened, hardeningOptions, plainContainer } from './hardening.ts'

const plain: Hardened = { ...plainContainer, id: 'shop' }

/** Options without those for capabilities, and the other way round. */
const others = (wish: Partial<Hardened>) => hardeningOptions({ ...plain, ...wish }).filter(option => !option.startsWith('--cap-'))
const capabilities = (wish: Partial<Hardened>) => hardeningOptions({ ...plain, ...wish }).filter(option => option.startsWith('--cap-'))

describe('capabilities', () => {
  it.each<{ name: string; wish: Partial<Hardened>; options: readonly string[] }>([
    { name: 'what only docker grants is dropped', wish: {}, options: ['--cap-drop=AUDIT_WRITE', '--cap-drop=MKNOD', '--cap-drop=NET_RAW'] },
    {
      name: 'unless it is asked for',
      wish: { capAdd: ['NET_RAW', 'NET_ADMIN'] },
      options: ['--cap-drop=AUDIT_WRITE', '--cap-drop=MKNOD', '--cap-add=NET_ADMIN', '--cap-add=NET_RAW'],
    },
    {
      name: 'more can be dropped, each once',
      wish: { capDrop: ['SETUID', 'MKNOD', 'SETUID'] },
      options: ['--cap-drop=AUDIT_WRITE', '--cap-drop=MKNOD', '--cap-drop=NET_RAW', '--cap-drop=SETUID'],
    },
    {
      name: 'or all of them, but for some',
      wish: { capDrop: ['ALL'], capAdd: ['CHOWN'] },
      options: ['--cap-drop=ALL', '--cap-add=CHOWN'],
    },
    {
      name: 'an isolated container keeps what it needs to become its user',
      wish: { isIsolated: true, capDrop: ['SETUID', 'KILL'] },
      options: ['--cap-drop=AUDIT_WRITE', '--cap-drop=KILL', '--cap-drop=MKNOD', '--cap-drop=NET_RAW'],
    },
    {
      name: 'and nothing else, when all are dropped',
      wish: { isIsolated: true, capDrop: ['ALL'] },
      options: [
        '--cap-drop=ALL',
        ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID', 'SYS_CHROOT'].map(name => `--cap-add=${name}`),
      ],
    },
  ])('$name', ({ wish, options }) => {
    expect(capabilities(wish)).toEqual(options)
  })
})

describe('the other options', () => {
  const level = others({}).at(-1) ?? ''

  it("are no new privileges and a level of the container's own, unless more is asked for", () => {
    expect(level).toMatch(/^label=level:s0:c/)
    expect(others({})).toEqual(['--security-opt', 'no-new-privileges', '--security-opt', level])
    expect(others({ hasNewPrivileges: true })).toEqual(['--security-opt', level])
    expect(others({ id: 'other' })).not.toEqual(others({}))
  })

  it('name a profile for system calls', () => {
    expect(others({ seccompProfile: '/etc/gear/calls.json' })).toContain('seccomp=/etc/gear/calls.json')
  })

  it('make a file system read-only, with room for what a run needs where nothing else is mounted', () => {
    expect(others({ isReadOnly: true }).slice(4)).toEqual([
      '--read-only',
      '--tmpfs',
      '/run:rw,nosuid,nodev,noexec,mode=755',
      '--tmpfs',
      '/tmp:rw,nosuid,nodev,noexec,mode=1777',
    ])
    expect(others({ isReadOnly: true, places: ['/run', '/tmp', '/data'] }).slice(4)).toEqual(['--read-only'])
  })

  it('ask for a user namespace', () => {
    expect(others({ hasUserNamespace: true }).slice(4)).toEqual(['--userns', 'auto'])
  })
})
