/** The hosts of the stories: made fresh before the first, taken down after the last. */
import { labCommand } from './lab-host.ts'

export const hosts = ['web1', 'web2']

export async function setup(): Promise<void> {
  await labCommand('down')
  await labCommand('up', ...hosts)
}

export async function teardown(): Promise<void> {
  // A developer who looks into a failure keeps the hosts with GEAR_LAB_KEEP=yes.
  if (process.env['GEAR_LAB_KEEP'] !== 'yes') await labCommand('down')
}
