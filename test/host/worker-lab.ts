/**
 * Before each file of stories: the hosts of this worker's lab are there, as if they were new. Files follow each other in an order that nobody
 * knows, so a host on which the file before has left something is made anew, and what was left is told.
 */
import { LabHost, labCommand } from './lab-host.ts'
import { labOfWorker, onMachines } from './workers.ts'

const worker = process.env['VITEST_POOL_ID'] ?? '1'
const lab = labOfWorker(worker)
process.env['GEAR_LAB_FAMILY'] ??= process.env['GEAR_LAB'] ?? 'lab'
process.env['GEAR_LAB'] = lab

/** What was on a host when it was new; one that a story has made has none, and no other file uses it. */
const noted = '/var/lib/lab-as-new'
const toldMax = 10

/** Is kept by design under names that nothing else has: keys, environments, and the records of builds. */
const kept = ['builds', 'env/contents', 'keys/public'].map(folder => `-path /var/lib/containers/${folder} -prune -o`).join(' ')

// An emulated machine takes a minute to make: there, a file uses what the one before has left.
if (onMachines) await labCommand('up', 'web1')
else await upAsNew('web1', 'web2')

async function upAsNew(...names: readonly string[]): Promise<void> {
  const areNew = await Promise.all(names.map(name => isAsNew(new LabHost(name))))
  const others = names.filter((_, index) => areNew[index] !== true)
  if (others.length === 0) return
  await labCommand('down', ...others)
  await labCommand('up', ...others)
  await Promise.all(
    others.map(async name => {
      const host = new LabHost(name)
      await host.do(['sh', '-c', `cat > ${noted}`], { input: (await stateOf(host)).join('\n') })
    }),
  )
}

/** False also for a host that is not there, or does not run. */
async function isAsNew(host: LabHost): Promise<boolean> {
  const { exitCode, stdout } = await host.exec(['cat', noted])
  if (exitCode !== 0) return false
  const before = stdout.split('\n')
  const now = await stateOf(host)
  const changes = [
    ...now.filter(line => !before.includes(line) && !line.startsWith('image ')).map(line => `+ ${line}`),
    ...before.filter(line => !now.includes(line)).map(line => `- ${line}`),
  ]
  if (changes.length === 0) return true
  const told = changes.slice(0, toldMax).map(line => `  ${line}\n`)
  process.stderr.write(`${lab}: ${host.name} is made anew, since an earlier file has changed:\n${told.join('')}`)
  return false
}

/** Containers, data, images, units, state and configuration of gear and the engines, accounts and mounts: a line each. */
async function stateOf(host: LabHost): Promise<readonly string[]> {
  const { stdout, stderr } = await host.exec([
    'sh',
    '-c',
    `for engine in docker podman; do
       $engine ps --all --format "container $engine {{.ID}} {{.Names}}"
       $engine volume ls --format "volume $engine {{.Name}}"
       $engine images --format "image $engine {{.Repository}}:{{.Tag}} {{.ID}}"
     done
     find /var/lib/containers -path /var/lib/containers/storage -prune -o -path /var/lib/containers/cache -prune -o ${kept} ! -type d -printf 'state %p\\n'
     for folder in /etc/systemd /run/systemd/system /run/systemd/transient /etc/gear; do
       [ ! -e $folder ] || find $folder ! -type d -printf 'file %p %s\\n'
     done
     cksum /etc/hosts /etc/default/gear /etc/ssh/sshd_config.d/*.conf /etc/docker/*.json /etc/containers/*.conf /etc/containers/*.json
     sed -n 's/^\\(ctr-\\|git-\\)/account &/p' /etc/passwd
     findmnt --list --noheadings --output TARGET | sed -n '/^\\/\\(etc\\|usr\\|home\\|root\\|srv\\|tmp\\|var\\/lib\\)/s/^/mount /p' | grep -v /storage/
     for unit in gear.service gear.socket docker.service dbus.service ssh.service; do echo "$unit $(systemctl is-active $unit)"; done
     systemctl list-units --plain --no-legend 'ctr-*' 'job-*' 'build-*' 'repository-*'`,
  ])
  return (stdout + stderr).split('\n').map(line => line.trimEnd())
}
