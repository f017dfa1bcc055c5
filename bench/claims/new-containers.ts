/**
 * A new container is installed in under 10 ms, and beside 1,000 others as fast as beside none.
 *
 * Three times, 1,000 containers are installed one after the other, systemd is made to hold them all, twice 200 more are
 * installed between the two floors, and everything is deleted.
 */
import { agentPort, deleteAll, ids, install, installCall } from '../agent.ts'
import { Caller } from '../caller.ts'
import type { Measurement } from '../finding.ts'
import { openDurableFloor, startEmptyServer } from '../floors.ts'
import { keepLoaded } from '../systemd.ts'

const fillings = 3

export async function measure(): Promise<readonly Measurement[]> {
  await warmUp()
  const firsts: number[][] = []
  const lasts: number[][] = []
  const besides: Beside[] = []
  for (let filling = 0; filling < fillings; filling++) {
    const names = ids(`full-${filling}`, 1000)
    const ms = await installMs(names)
    firsts.push(ms.slice(0, 100))
    lasts.push(ms.slice(-100))
    keepLoaded(names)
    const more = ids(`more-${filling}`, 400)
    besides.push(await installBesideFloors(more.slice(0, 200)), await installBesideFloors(more.slice(200)))
    await deleteAll([...names, ...more])
  }
  return [
    {
      what: 'install a new container beside 1,000',
      unit: 'ms',
      samples: besides.map(beside => beside.ours),
      peers: [
        { name: 'the same request to an empty HTTP server', samples: besides.map(beside => beside.http) },
        { name: 'write, sync, rename, sync the folder', samples: besides.map(beside => beside.durable) },
      ],
      goal: { of: 'p99', atMost: 10 },
    },
    {
      what: 'install the 901st to 1,000th container',
      unit: 'ms',
      samples: lasts,
      peers: [{ name: 'the 1st to 100th', samples: firsts }],
      goal: { of: 'ratio', atMost: 1.2 },
    },
  ]
}

/** The first installs of an agent's life are slower, which would make the last ones look good. */
async function warmUp(): Promise<void> {
  const names = ids('warm', 300)
  await installMs(names)
  await deleteAll(names)
}

async function installMs(names: readonly string[]): Promise<readonly number[]> {
  using caller = new Caller(agentPort)
  const ms: number[] = []
  for (const id of names) ms.push((await install(caller, id)).ms)
  return ms
}

interface Beside {
  readonly ours: number[]
  readonly http: number[]
  readonly durable: number[]
}

async function installBesideFloors(names: readonly string[]): Promise<Beside> {
  using server = await startEmptyServer()
  using disk = openDurableFloor()
  using caller = new Caller(agentPort)
  const beside: Beside = { ours: [], http: [], durable: [] }
  for (const id of names) {
    beside.ours.push((await install(caller, id)).ms)
    beside.http.push(await server.putMs(installCall(id).body))
    beside.durable.push(disk.writeMs())
  }
  return beside
}
