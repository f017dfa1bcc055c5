/** Labs for the stories: one a worker, made fresh by `worker-lab.ts` when its worker first needs it, all taken down after the last story. */
import { labCommandIn } from './lab-host.ts'
import { labOfWorker, workersMax } from './workers.ts'

export async function setup(): Promise<void> {
  await downAll()
}

export async function teardown(): Promise<void> {
  // A developer who looks into a failure keeps the hosts with GEAR_LAB_KEEP=yes.
  if (process.env['GEAR_LAB_KEEP'] !== 'yes') await downAll()
}

/** Of an earlier run, which may have been killed, too. */
async function downAll(): Promise<void> {
  for (let worker = 1; worker <= workersMax; worker++) await labCommandIn(labOfWorker(worker), 'down')
}
