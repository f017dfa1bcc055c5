/** Before each file of stories: the hosts of this worker's lab are there. Those that the file before has left are used as they are. */
import { labCommand } from './lab-host.ts'
import { labOfWorker, onMachines } from './workers.ts'

const worker = process.env['VITEST_POOL_ID'] ?? '1'
const lab = labOfWorker(worker)
process.env['GEAR_LAB_FAMILY'] ??= process.env['GEAR_LAB'] ?? 'lab'
process.env['GEAR_LAB'] = lab
await labCommand('up', ...(onMachines ? ['web1'] : ['web1', 'web2']))
