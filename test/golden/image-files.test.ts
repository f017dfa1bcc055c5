/** What an isolated start finds out about the files of an image before anything of it runs, on engines that are played and on images that are folders. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newHost } from './helper-host.ts'

/** A helper that prints what is odd with the container `tools-1`. */
const look = (engine: string) => `#!/bin/sh
. "\${0%/*}/common.sh"
. "\${0%/*}/${engine}.sh"
. "\${0%/*}/${engine}-files.sh"
. "\${0%/*}/image-files.sh"
asked=tools-1 problem=''
if find_odd; then echo "$odd"; else echo "$problem" >&2; exit 1; fi
`

describe('on docker, the files of an image', () => {
  const bit = { directory: 2 ** 31, link: 2 ** 27, device: 2 ** 26, fifo: 2 ** 25, socket: 2 ** 24, sticky: 2 ** 20, irregular: 2 ** 19 }
  const file = (mode: number, size = 100, linkTarget = '') => ({ name: 'passwd', size, mode, mtime: '2026-01-02T03:04:05Z', linkTarget })

  function oddOf(files: Readonly<Record<string, ReturnType<typeof file>>>): ReturnType<ReturnType<typeof newHost>['run']> {
    const host = newHost()
    const answers = Object.entries(files).map(([path, stat]) => {
      const header = Buffer.from(JSON.stringify(stat)).toString('base64')
      return `*' path=${path} '*) printf 'HTTP/1.1 200 OK\\r\\nX-Docker-Container-Path-Stat: ${header}\\r\\n\\r\\n' ;;`
    })
    host.tool('curl', `case "$*" in ${answers.join('\n')}\n*) printf 'HTTP/1.1 404 Not Found\\r\\n\\r\\n' ;; esac`)
    host.helper('look', look('docker'))
    return host.run('look')
  }

  it.each([
    ['files', { '/etc/passwd': file(0o644), '/etc/group': file(0o644 + bit.sticky) }, ''],
    ['not there', {}, ''],
    ['a fifo', { '/etc/passwd': file(bit.fifo + 0o644, 0) }, 'a fifo in the place of its /etc/passwd'],
    ['a fifo for the groups', { '/etc/passwd': file(0o644), '/etc/group': file(bit.fifo) }, 'a fifo in the place of its /etc/group'],
    ['a device', { '/etc/passwd': file(bit.device + 2 ** 21, 0) }, 'a device in the place of its /etc/passwd'],
    ['a folder', { '/etc/passwd': file(bit.directory + 0o755) }, 'a directory in the place of its /etc/passwd'],
    ['a socket', { '/etc/passwd': file(bit.socket) }, 'something that is no file in the place of its /etc/passwd'],
    ['another thing', { '/etc/passwd': file(bit.irregular) }, 'something that is no file in the place of its /etc/passwd'],
    ['too large', { '/etc/passwd': file(0o644, 2 ** 30) }, 'an /etc/passwd of 1073741824 bytes, and 1048576 are read at most'],
    ['a link to a file', { '/etc/passwd': file(bit.link, 4, '/store/rows'), '/store/rows': file(0o444) }, ''],
    [
      'a link to a large file',
      { '/etc/passwd': file(bit.link, 4, '/a b?c&d'), '/a b?c&d': file(0o444, 2 ** 21) },
      'an /etc/passwd of 2097152 bytes, and 1048576 are read at most',
    ],
    ['a link to a fifo', { '/etc/passwd': file(bit.link, 4, '/fifo'), '/fifo': file(bit.fifo) }, 'a fifo in the place of its /etc/passwd'],
    [
      'a link to what only a container that runs has',
      { '/etc/passwd': file(bit.link, 4, '/proc/kmsg') },
      'a link to nothing in the place of its /etc/passwd',
    ],
    ['a link with an odd name', { '/etc/passwd': file(bit.link, 4, '/"},"size":1') }, 'an odd link in the place of its /etc/passwd'],
  ])('are %s', (_, files, odd) => {
    expect(oddOf(files)).toMatchObject({ exitCode: 0, printed: odd, said: [] })
  })

  it('are not known when it does not answer, or not with what was asked for', () => {
    const host = newHost()
    host.helper('look', look('docker'))
    host.tool('curl', 'exit 28')
    expect(host.run('look')).toMatchObject({ exitCode: 1, said: ['docker does not answer on its socket'] })
    host.tool('curl', "printf 'HTTP/1.1 500 Internal Server Error\\r\\n\\r\\n'")
    expect(host.run('look')).toMatchObject({ exitCode: 1, said: ['docker could not say what /etc/passwd is'] })
    host.tool('curl', "printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'")
    expect(host.run('look')).toMatchObject({ exitCode: 1, said: ['docker did not say what /etc/passwd is'] })
  })
})

describe('on podman, the files of an image', () => {
  const images = mkdtempSync(join(tmpdir(), 'gear-images-'))
  const outside = join(images, 'outside')
  beforeAll(() => execFileSync('/bin/sh', ['-c', `mkdir ${outside}; echo secret > ${outside}/passwd; mkfifo ${outside}/fifo`]))
  afterAll(() => rmSync(images, { recursive: true }))

  it.each([
    ['files', 'echo root:x:0:0 > etc/passwd; : > etc/group', ''],
    ['not there', ':', ''],
    ['a fifo', 'mkfifo etc/passwd', 'a fifo in the place of its /etc/passwd'],
    ['a fifo for the groups', 'mkfifo etc/group', 'a fifo in the place of its /etc/group'],
    ['a folder', 'mkdir etc/passwd', 'a directory in the place of its /etc/passwd'],
    ['too large', 'truncate -s 1G etc/passwd', 'an /etc/passwd of 1073741824 bytes, and 1048576 are read at most'],
    ['a link to a file', 'mkdir -p store/x; : > store/x/rows; ln -s /store/x/rows etc/passwd; ln -s ../store/x/rows etc/group', ''],
    ['a link to a file beside it', ': > etc/rows; ln -s rows etc/passwd', ''],
    ['a link to a fifo', 'mkfifo fifo; ln -s /fifo etc/passwd', 'a fifo in the place of its /etc/passwd'],
    ['a link to what only a container that runs has', 'ln -s /proc/kmsg etc/passwd', 'a link to nothing in the place of its /etc/passwd'],
    ['a link out of the image', `ln -s ../../../../../../..${outside}/passwd etc/passwd`, 'an odd link in the place of its /etc/passwd'],
    ['a link that names a file of the host', `ln -s ${outside}/fifo etc/passwd`, 'a link to nothing in the place of its /etc/passwd'],
    ['a link by a link', `ln -s ${outside} out; ln -s /out/fifo etc/passwd`, 'a link behind a link in the place of its /etc/passwd'],
    ['a link to a link', `ln -s ${outside}/fifo out; ln -s /out etc/passwd`, 'a link behind a link in the place of its /etc/passwd'],
    ['in a folder that is a link', `rmdir etc; ln -s ${outside} etc`, 'something behind a link in the place of its /etc/passwd'],
    ['a link whose name has line breaks', "ln -s '/rows\n' etc/passwd; : > rows", 'a link to nothing in the place of its /etc/passwd'],
  ])('are %s', (_, make, odd) => {
    const root = mkdtempSync(join(images, 'root-'))
    execFileSync('/bin/sh', ['-c', `cd ${root}; mkdir etc; ${make}`])
    const host = newHost()
    host.tool('podman', `case "$*" in *' mount tools-1') echo ${root} ;; esac`)
    host.helper('look', look('podman'))
    const { exitCode, printed, said, calls } = host.run('look')
    expect({ exitCode, printed, said }).toEqual({ exitCode: 0, printed: odd, said: [] })
    expect(calls.at(-1)).toMatch(/ unmount tools-1$/)
  })

  it('are not known when it does not show them', () => {
    const host = newHost()
    host.helper('look', look('podman'))
    host.tool('podman', 'echo "Error: no such container" >&2; exit 125')
    expect(host.run('look')).toMatchObject({ exitCode: 1, said: ['Error: no such container'] })
  })
})
