import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseHost } from '../../formats/index.ts'
import { readDeployment } from './file.ts'
import { planDeployment } from './plan.ts'
import { drawTopology, hostsOf, topologyOf } from './topology.ts'

async function drawn(name: string, ...hosts: readonly string[]): Promise<string> {
  const deployment = await readDeployment(readFileSync(new URL(`../../../deployment/fixtures/${name}`, import.meta.url), 'utf8'), name)
  const on = hosts.length > 0 ? hosts.map(parseHost) : hostsOf(deployment.instances)
  return drawTopology(topologyOf(name, planDeployment({ deployment, hosts: on, drawText: () => '' })))
}

it('a file that was deployed shows its instances and what they see', async () => {
  expect(await drawn('mongo_deploy_existing.json')).toBe(`mongo_deploy_existing.json: 3 instances on 1 host

db  gear/script  3 of 3
├─ db-1 on localhost  27017 → 4000
├─ db-2 on localhost  27017 → 4001
├─ db-3 on localhost  27017 → 4002
└─ sees
   ├─ 192.168.1.1:27017 → db-1 27017 (localhost:4000)
   ├─ 192.168.1.2:27017 → db-2 27017 (localhost:4001)
   └─ 192.168.1.3:27017 → db-3 27017 (localhost:4002)
`)
})

it('a file that was not shows what is meant', async () => {
  expect(await drawn('complex_deploy.json')).toBe(`complex_deploy.json: not deployed

web  gear/httpd  0 of 2
└─ links to
   ├─ web 8080
   └─ db 27017

db  gear/script  0 of 3
└─ links to
   └─ db 27017
`)
})

it('with hosts it shows what a deploy would make', async () => {
  expect(await drawn('openshift_deploy.json', 'a', 'b')).toContain(`broker  gear/httpd  1 of 1
├─ broker-1 on a  8080 → 6060  not deployed yet
└─ sees
   └─ 127.0.0.1:27017 → db-1 27017 (b:?)

db  gear/script  1 of 1
└─ db-1 on b  27017 → any port  not deployed yet
`)
})
