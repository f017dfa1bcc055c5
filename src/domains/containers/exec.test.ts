import { expect, test } from 'vitest'
import { type ContainerId, loginOf } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { containerPaths } from '../layout/index.ts'
import { execIn } from './exec.ts'

const id = 'shop' as ContainerId

/** Who a command runs as, in a container with this unit whose account has the number 1001. */
async function userOf(unitText: string, user = ''): Promise<string> {
  const host = fakeHost()
  host.files.put(containerPaths(host.paths, id).unit, unitText)
  host.accounts.add(loginOf('container', id))
  host.engine.addContainer(id, { labels: { 'gear.id': id } })
  const asked = { command: ['id'], terminal: false, columns: 80, rows: 24, user, input: false }
  const session = await execIn(host, id, asked, new AbortController().signal)
  let printed = ''
  for await (const each of session.output) if (each.kind === 'stdout') printed += Buffer.from(each.bytes).toString()
  return printed.trim()
}

test.each([
  ['the account of an isolated container', 'isolated', '', '1001:1001'],
  ['whom the caller names, there as well', 'isolated', 'root', 'root'],
  ['the user of the image, though there is an account of the name', 'simple', '', 'that of the image'],
])('a command runs as %s', async (_, type, user, shown) => {
  expect(await userOf(`[Install]\nX-ContainerType=${type}\n`, user)).toBe(shown)
})
