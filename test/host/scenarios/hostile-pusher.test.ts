/** What somebody who may push to one repository could try on the host, on its other users, and on those who push as well. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'
import { makePusher, type Pusher } from '../pusher.ts'
import { swollenPush } from '../swollen-pack.ts'

const host = new LabHost('web1')
const id = 'hostile-src'
let pusher: Pusher

beforeAll(async () => {
  await host.gearDo('create-repo', id, '--build', 'gear/httpd', '--tag', 'gear/hostile')
  pusher = await makePusher(host, id, '/root/hostile')
  await pusher.run(`mkdir -p .s2i/bin; cat > .s2i/bin/assemble <<'END'
#!/bin/sh
printf 'before\\033]0;title\\007\\033[2Aafter\\n'
ls -A /tmp/src
END
chmod 755 .s2i/bin/assemble`)
})

afterAll(async () => {
  await host.gear('delete-repo', id)
  await host.sh('rm -rf /root/hostile; docker rmi -f gear/hostile')
})

it('a push of a few kilobytes that unpack to gigabytes is refused, and takes no memory of the host', async () => {
  const request = swollenPush(200)
  expect(request.length).toBeLessThan(50_000)
  const push = await host.exec(
    [
      '/bin/sh',
      '-c',
      `base64 -d | ssh -i /root/hostile/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null git-${id}@localhost "git-receive-pack '~'"`,
    ],
    { input: request.toString('base64') },
  )
  expect(push.stderr).toMatch(/attempting to allocate 3355443\d{3} over limit 1073741824/)
  expect(push.stdout).toContain('unpacker error')
})

it('a push with a name that leads out of the folder of whoever clones it is refused', async () => {
  const push = await pusher.run(`file=$(echo owned | git hash-object -w --stdin); tree=$(printf '100644 blob %s\\t..\\n' $file | git mktree)
    git push origin $(git commit-tree -m up $tree):refs/heads/up`)
  expect(push.exitCode).not.toBe(0)
  expect(push.stderr).toMatch(/hasDotdot/)
})

it('what a build prints does not steer the terminal of whoever pushes', async () => {
  const { stderr } = await pusher.push('one')
  expect(stderr).toMatch(/^remote: before\?\]0;title\?\?\[2Aafter/m)
  expect(stderr).toMatch(/^remote: \w{10} is built into gear\/hostile/m)
})

it('files are built whatever they are called', async () => {
  const { stderr } =
    await pusher.run(`mkdir .gear-index; touch .gear-index/in -- -rf --help '--checkpoint-action=exec=touch owned' 'a;b' "$(printf 'c\\nd')"
    git add -A; git commit -q -m names; git push origin main`)
  expect(stderr).toMatch(/^remote: --checkpoint-action=exec=touch owned *\nremote: --help *\nremote: -rf *\nremote: \.gear-index *$/m)
  expect(stderr).toMatch(/^remote: \w{10} is built into gear\/hostile/m)
  expect((await host.exec(['test', '-e', '/owned'])).exitCode).toBe(1)
})

it('patterns that a regular expression would try for years do not keep a build busy', async () => {
  const { stderr } = await pusher.run(
    `touch ${'a'.repeat(200)}; printf '${'*a'.repeat(30)}*b\\n' > .s2iignore; git add -A; git commit -q -m patterns; git push origin main`,
  )
  expect(stderr).toMatch(/^remote: \w{10} is built into gear\/hostile/m)
})
