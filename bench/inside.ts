/** Runs on a lab host: measures one claim there and prints what came out as JSON. Usage: node inside.ts CLAIM */
import { claims } from './claims/index.ts'

const load = claims[process.argv[2] ?? '']
if (load === undefined) throw new Error(`there is no claim ${process.argv[2]}`)
const { measure } = await load()
process.stdout.write(JSON.stringify(await measure()))
