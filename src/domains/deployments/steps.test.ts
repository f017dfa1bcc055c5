import { describe, expect, it } from 'vitest'
import { parseHost, printHost } from '../../formats/index.ts'
import { readDeployment } from './file.ts'
import { type DeploymentPlan, planDeployment } from './plan.ts'
import { type DeployStep, instanceState, progressWords, type StepState, stepsOf } from './steps.ts'

const web = { Name: 'web', Image: 'acme/web:2', Count: 2, PublicPorts: [{ Internal: 8080 }], Links: [{ To: 'web' }] }

async function plan(file: object, ...names: readonly string[]): Promise<DeploymentPlan> {
  const deployment = await readDeployment(JSON.stringify(file), 'shop.json')
  return planDeployment({ deployment, hosts: names.map(parseHost), drawText: () => 'aaaaaaaaaaaaaaaaaaaaaa' })
}

const words = ({ kind, of, reason }: DeployStep) => `${kind} ${of.id}@${printHost(of.host)}: ${reason}`

describe('the steps of a deploy', () => {
  it('install, link, start and wait for all that is new, in this order', async () => {
    expect(stepsOf(await plan({ Containers: [web] }, 'a', 'b'), { waitMs: 60_000 }).map(words)).toEqual([
      'install web-1@a: web has too few instances',
      'install web-2@b: web has too few instances',
      'link web-1@a: it has links to web',
      'link web-2@b: it has links to web',
      'start web-1@a: it is new here',
      'start web-2@b: it is new here',
      'wait web-1@a: all that start here are to run within 60 s',
      'wait web-2@b: all that start here are to run within 60 s',
    ])
  })

  it('update one of a container after the other, relink what stays, and delete last', async () => {
    const Ports = [{ Internal: 8080, External: 4000, Target: { Host: '127.0.0.1', Port: 8080 } }]
    const before = { Image: 'acme/web', From: 'web', Ports }
    const made = await plan(
      {
        Containers: [web, { Name: 'eye', Image: 'acme/eye', Count: 1, Links: [{ To: 'web' }] }],
        Instances: [
          { ...before, Id: 'web-1', On: 'a' },
          { ...before, Id: 'web-2', On: 'b', Ports: [{ ...Ports[0], Target: { Host: '127.0.0.1', Port: 8081 } }] },
          { ...before, Id: 'web-3', On: 'b', Ports: [] },
          { Id: 'eye-1', Image: 'acme/eye', From: 'eye', On: 'a' },
        ],
      },
      'a',
      'b',
    )
    expect(stepsOf(made, { waitMs: 300_000 }).map(words)).toEqual([
      'update web-1@a: changed: image acme/web → acme/web:2',
      'restart web-1@a: what runs is from before',
      'wait web-1@a: it is to run within 300 s, before web-2 is updated',
      'update web-2@b: changed: image acme/web → acme/web:2',
      'restart web-2@b: what runs is from before',
      'wait web-2@b: it is to run within 300 s',
      'relink eye-1@a: web-3 goes',
      'delete web-3@b: Count of web is 2',
    ])
  })
})

describe('the steps of a deploy whose updates get ports that their hosts choose', () => {
  it('lead the links of what was updated before to those ports', async () => {
    const before = { Image: 'acme/web:2', From: 'web', Ports: [] }
    const made = await plan(
      {
        Containers: [web],
        Instances: [
          { ...before, Id: 'web-1', On: 'a' },
          { ...before, Id: 'web-2', On: 'b' },
        ],
      },
      'a',
      'b',
    )
    expect(
      stepsOf(made, { waitMs: 1000 })
        .map(words)
        .filter(text => /^(?:update|relink)/.test(text)),
    ).toEqual([
      'update web-1@a: changed: port 8080 added',
      'update web-2@b: changed: port 8080 added',
      'relink web-1@a: web-2 gets a port that its host chooses',
      'relink web-2@b: web-2 gets a port that its host chooses',
    ])
  })
})

describe('what is told of an instance', () => {
  it.each<[readonly StepState[], string, string]>([
    [['done', 'done', 'done'], 'done', 'installed, started, runs'],
    [['done', 'done', 'failed'], 'failed', 'installed, started, did not come up'],
    [['done', 'done', 'unknown'], 'unknown', 'installed, started, not seen to run'],
    [['done', 'done', 'notBegun'], 'unknown', 'installed, started, not seen to run'],
    [['done', 'unknown', 'notBegun'], 'unknown', 'installed, its start was asked for'],
    [['done', 'failed', 'notBegun'], 'failed', 'installed, not started'],
    [['done', 'notBegun', 'notBegun'], 'unfinished', 'installed, not started'],
    [['unknown', 'notBegun', 'notBegun'], 'unknown', 'its installation was asked for'],
    [['failed', 'notBegun', 'notBegun'], 'failed', 'not installed'],
    [['notBegun', 'notBegun', 'notBegun'], 'notBegun', 'not installed'],
  ])('whose steps are %j', async (states, state, text) => {
    const steps = stepsOf(await plan({ Containers: [{ ...web, Count: 1, Links: [] }] }, 'a'), { waitMs: 1000 }).map((step, index) => ({
      step,
      state: states[index] ?? 'notBegun',
    }))
    expect([instanceState(steps), progressWords(steps)]).toEqual([state, text])
  })
})
