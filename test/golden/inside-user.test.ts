/** Who the user of an image is, as the script of an isolated container reads it from rows that the author of the image has written as he liked. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const source = (name: string) => readFileSync(fileURLToPath(new URL(`../../libexec/${name}`, import.meta.url)), 'utf8')
const app = 'app:x:1000:1001::/home/app:/bin/sh'
const root = 'root:x:0:0:root:/root:/bin/sh'

let image = ''
beforeEach(() => {
  image = mkdtempSync(join(tmpdir(), 'gear-image-'))
})
afterEach(() => rmSync(image, { recursive: true }))

/** NAME UID GID HOME, or `none` when the image has no user but root, or why it is refused. */
function userOf(user: string, passwd?: string, group?: string): string {
  if (passwd !== undefined) writeFileSync(join(image, 'passwd'), passwd)
  if (group !== undefined) writeFileSync(join(image, 'group'), group)
  const show = 'if find_user; then printf "%s %s %s %s" "$name" "$old_uid" "$old_gid" "$home"; else printf none; fi'
  const script = `uid=20000 gid=20000\n${source('inside-rows.sh')}\n${source('inside-user.sh')}\n${show}`.replaceAll('/etc/', `${image}/`)
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', `user=$1\n${script}`, 'sh', user], {
    encoding: 'utf8',
    timeout: 60_000,
    cwd: image,
  })
  if (status === 0) return stdout
  return stderr.replace('gear: cannot run as user 20000: ', '').replaceAll(`${image}/`, '/etc/').trimEnd()
}

describe('the user of an image', () => {
  it.each([
    ['in the last row, which has no end', 'app', `${root}\n${app}`, 'app 1000 1001 /home/app'],
    ['by number, with zeros before it', '01000', `${root}\n${app}\n`, 'app 1000 1001 /home/app'],
    ['after rows that are none', 'app', `\n:::\n#\n:x:1000:1\n\t\n${app}\n`, 'app 1000 1001 /home/app'],
    ['in the first of two rows of its name', 'app', `${app}\napp:x:0:0::/:/bin/sh\n`, 'app 1000 1001 /home/app'],
    [
      'of a name that a shell would carry out',
      '$(touch x)',
      '$(touch x):x:5:6::/`touch y`;touch z:/bin/sh\n',
      '$(touch x) 5 6 /`touch y`;touch z',
    ],
    ['of a name that is a pattern', '*', `${app}\n*:x:7:8::/:/bin/sh\n`, '* 7 8 /'],
    ['of a name with a backslash', 'a\\nb', 'a\\nb:x:7:8::/:/bin/sh\n', 'a\\nb 7 8 /'],
    ['that is root by another name', 'toor', `${root}\ntoor:x:0:0::/:/bin/sh\n`, 'none'],
    ['that is root by another number', 'toor', 'toor:x:000:5::/:/bin/sh\n', 'none'],
    ['that is root, with somebody named container', 'root', `${root}\ncontainer:x:9:9::/srv:/bin/sh\n`, 'container 9 9 /srv'],
    ['that is root, and container is, too', 'root', `${root}\ncontainer:x:0:0::/srv:/bin/sh\n`, 'none'],
    ['nobody', '', `${root}\n`, 'none'],
    ['by number, in an image without rows', '77', undefined, ' 77 0 /'],
  ])('is found %s', (_, user, passwd, found) => {
    expect(userOf(user, passwd)).toBe(found)
    expect(readdirSync(image)).toEqual(passwd === undefined ? [] : ['passwd'])
  })

  it.each([
    ['is two lines', 'app\nroot', `${root}\n${app}\n`, "the image's user app\nroot is not in its /etc/passwd"],
    ['is not there', 'nosuch', `${root}\n`, "the image's user nosuch is not in its /etc/passwd"],
    ['is not there, since the file is empty', 'app', '', "the image's user app is not in its /etc/passwd"],
    ['is a pattern', 'a*', `${app}\n`, "the image's user a* is not in its /etc/passwd"],
    ['has a group that is not there', 'app:nosuch', `${app}\n`, "the image's group nosuch is not in its /etc/group"],
    ['has a number that is none', 'app', 'app:x:-1:0::/:/bin/sh\n', "the image's user has the number '-1', which nobody can have"],
    ['has a number of another base', 'app', 'app:x:0x10:0::/:/bin/sh\n', "the image's user has the number '0x10', which nobody can have"],
    ['has a row of another system', 'app', 'app:x:1000\r\n', "the image's user has the number '1000\r', which nobody can have"],
    ['has no number', 'app', 'app\n', "the image's user has the number '', which nobody can have"],
    [
      'has a number that is too large',
      'app',
      'app:x:99999999999999999999:0::/:/bin/sh\n',
      "the image's user has the number '99999999999999999999', which nobody can have",
    ],
  ])('that %s is refused', (_, user, passwd, reason) => {
    expect(userOf(user, passwd)).toBe(reason)
  })

  it('is found behind as many rows as are read at most', () => {
    const row = 'somebody:x:1:1::/:/bin/sh\n'
    expect(userOf('app', row.repeat(Math.floor(1_048_000 / row.length)) + app)).toBe('app 1000 1001 /home/app')
  })

  it('is not waited for where a volume has a fifo in the place of the rows', () => {
    execFileSync('mkfifo', [join(image, 'group')])
    expect(userOf('app', `${app}\n`)).toBe('its /etc/group is no file')
  })
})
