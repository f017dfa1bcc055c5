/** A new container costs no daemon-reload: not when it is installed, and not when it is started for the first time. */
import { agentPort, deleteAll, ids, install, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import type { Measurement } from '../finding.ts'
import { ReloadCounter, systemctl } from '../systemd.ts'

const repetitions = 3

export async function measure(): Promise<readonly Measurement[]> {
  proveCounter()
  using caller = new Caller(agentPort)
  const installs: number[][] = []
  const starts: number[][] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const still = ids(`still-${repetition}`, 200)
    const installed = new ReloadCounter()
    for (const id of still) await install(caller, id)
    installs.push([installed.count])

    const running = ids(`running-${repetition}`, 10)
    const started = new ReloadCounter()
    for (const id of running) await install(caller, id, { Started: true })
    for (const id of running) await untilState(caller, id, 'active')
    starts.push([started.count])
    await deleteAll([...still, ...running])
  }
  return [
    { what: 'daemon-reloads for 200 installs', unit: '', samples: installs, goal: { of: 'median', atMost: 0 } },
    { what: 'daemon-reloads for 10 installs with a start', unit: '', samples: starts, goal: { of: 'median', atMost: 0 } },
  ]
}

/** A count of none is worth something only from a counter that counts. */
function proveCounter(): void {
  const counter = new ReloadCounter()
  for (let reload = 0; reload < 3; reload++) systemctl('daemon-reload')
  if (counter.count !== 3) throw new Error(`the counter saw ${counter.count} of 3 reloads`)
}
