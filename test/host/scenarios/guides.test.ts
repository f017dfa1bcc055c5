/**
 * What README and the guides tell their readers to type, typed: every command of every block in its order, on hosts that nothing else is on. A
 * block that is not run says why, in a comment that readers do not see; `tools/docs/command-blocks.test.ts` refuses one that does not.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Command, type CommandBlock, commandBlocks, fencedText } from '../../../tools/docs/command-blocks.ts'
import { LabHost, labCommand, until } from '../lab-host.ts'
import { type ToldDocument, toldDocuments } from '../told-documents.ts'

const names = ['node7', 'node8', 'node9'] as const
const reader = new LabHost('node7')
const folder = '/root/reading'
const repository = fileURLToPath(new URL('../../../', import.meta.url))

const shopImage = 'docker tag gear/httpd-user acme/shop; podman tag gear/httpd-user acme/shop'

/** What only ends when it is told to. */
const endless = /--follow|--watch/

/** What is there as soon as it has come up, and stays. */
const background = /&\s*(?:#.*)?$/

beforeAll(async () => {
  await labCommand('up', ...names)
  await Promise.all(
    names.map(name =>
      new LabHost(name).sh(`
        install -d -m 700 /etc/gear; umask 077; echo correct-horse-battery-staple > /etc/gear/token
        sed -i '/^GEARD_OPTS=/d' /etc/default/gear
        echo 'GEARD_OPTS="http://127.0.0.1:43273 http://${name}:43273 --token-file /etc/gear/token --host-names web1"' >> /etc/default/gear
        sed -i '1i 127.0.0.1 localhost' /etc/hosts
        systemctl restart gear.service
        ${shopImage}; docker tag gear/httpd-user acme/web:3; docker tag gear/httpd acme/node-builder; docker tag gear/redis acme/db; docker tag gear/redis acme/db:7`),
    ),
  )
  await reader.sh(`
    mkdir -p ~/.ssh ~/.config/gear ${folder}; chmod 700 ~/.ssh
    umask 077; printf '* correct-horse-battery-staple\\n' > ~/.config/gear/tokens; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
    printf 'Host *\\n  StrictHostKeyChecking accept-new\\n  BatchMode yes\\n' > ~/.ssh/config
    printf 'fail\\nsilent\\nshow-error\\n' > ~/.curlrc
    echo "$(getent hosts node7 | cut -d ' ' -f 1) web1" >> /etc/hosts
    ln -s /usr/src/gear/deployment ${folder}/deployment; cp ~/.ssh/id_ed25519.pub ${folder}/reader.pub`)
  const key = await reader.do(['cat', '/root/.ssh/id_ed25519.pub'])
  for (const name of names) {
    await new LabHost(name).sh('mkdir -p ~/.ssh; chmod 700 ~/.ssh; cat >> ~/.ssh/authorized_keys', { input: key })
  }
}, 120_000)

afterAll(async () => {
  await labCommand('down', ...names)
})

/** What documents say a host chose, and what it has chosen here. */
class Chosen {
  readonly #ports = new Map<string, string>()
  #last = ''

  note(told: string, printed: string): void {
    const [, port] = /PortMapping: \d+ -> (\d+)/.exec(told) ?? []
    const [, own] = /PortMapping: \d+ -> (\d+)/.exec(printed) ?? []
    if (own !== undefined) this.#last = own
    if (port !== undefined && own !== undefined) this.#ports.set(port, own)
  }

  in(line: string): string {
    if (line.includes('# the port it printed')) return line.replace(/:\d+/, `:${this.#last}`)
    return [...this.#ports].reduce((text, [told, own]) => text.replaceAll(`:${told}`, `:${own}`), line)
  }
}

async function type({ line, text }: Command, path: string, chosen: Chosen): Promise<string> {
  // The file that a deploy wrote has the time in its name.
  const written = chosen.in(text).replaceAll(/([\w.]+)\.\d{8}-\d{6}/g, '"$(ls -t $1.20* | head -n 1)"')
  const isEndless = endless.test(text)
  if (background.test(written)) {
    await reader.sh(`systemd-run -q --collect --setenv=HOME=/root ${written.replace(background, '')}`)
    return ''
  }
  const script = isEndless ? `timeout --signal=INT --kill-after=10 2 ${written}` : written
  const { exitCode, stdout, stderr } = await reader.exec(['bash', '-c', `cd ${folder}; ${script}`])
  const isEnded = exitCode === 0 || (isEndless && exitCode === 124)
  if (!isEnded) throw new Error(`${path}:${line}: ${text}\nended with ${exitCode}\n${stdout}${stderr}`)
  chosen.note(text, stdout)
  return stdout
}

async function typeUntilUp(command: Command, path: string, chosen: Chosen): Promise<string> {
  let printed = ''
  await until('what was begun in the background is up', async () => {
    try {
      printed = await type(command, path, chosen)
      return true
    } catch (error) {
      return String(error)
    }
  })
  return printed
}

async function tell({ before = {} }: ToldDocument, path: string, { commands }: CommandBlock, chosen: Chosen): Promise<void> {
  const [first] = commands
  for (const [start, script] of Object.entries(before)) {
    if (first?.text.startsWith(start)) await reader.do(['bash', '-ec', `cd ${folder}; ${script}`])
  }
  for (const [index, command] of commands.entries()) {
    const isAfterBackground = background.test(commands[index - 1]?.text ?? '')
    const printed = await (isAfterBackground ? typeUntilUp(command, path, chosen) : type(command, path, chosen))
    if (command.printed !== undefined) expect(withoutPorts(printed), `${path}:${command.line}`).toBe(withoutPorts(command.printed))
  }
}

const withoutPorts = (text: string) => text.replaceAll(/-> \d+/g, '-> PORT')

describe.each(toldDocuments)('$path', document => {
  const { path } = document
  const markdown = readFileSync(`${repository}${path}`, 'utf8')
  const blocks = commandBlocks(markdown).filter(({ excuse }) => excuse === undefined)
  const chosen = new Chosen()

  beforeAll(async () => {
    // A push of the document before has made another one.
    await reader.sh(shopImage)
    const yaml = fencedText(markdown, 'yaml')
    if (yaml !== undefined) await reader.sh(`cat > ${folder}/shop.yaml`, { input: yaml })
  })

  it.each(blocks.map(block => [block.line, block.commands[0]?.text ?? '', block] as const))('line %i: %s', (_, __, block) =>
    tell(document, path, block, chosen),
  )
})
