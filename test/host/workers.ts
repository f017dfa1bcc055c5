/**
 * Files of stories run beside each other, each in the lab of its worker: most of their time is waiting for systemd and engines. Within a file, and
 * in the files that a worker takes one after the other, stories share hosts.
 */

/** QEMU machines (`make test-v2`), which need a processor each, instead of hosts that share the kernel. */
export const onMachines = process.env['GEAR_LAB_KIND'] === 'machines'

/** The machine has two processors. */
export const workersMax = onMachines ? 1 : 3

/** `GEAR_LAB` names the family of labs; a developer's own does not meet that of another run. */
export function labOfWorker(worker: number | string): string {
  return `${family()}-${worker}`
}

/** In a worker GEAR_LAB is the worker's lab already. */
function family(): string {
  return process.env['GEAR_LAB_FAMILY'] ?? process.env['GEAR_LAB'] ?? 'lab'
}
