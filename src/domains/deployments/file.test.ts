import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { limits } from '../../api/index.ts'
import { parseHost } from '../../formats/index.ts'
import { deploymentName, printDeployment, readDeployment, stampedName } from './file.ts'
import { planDeployment } from './plan.ts'

const refusal = (text: string, name = 'shop.json') =>
  readDeployment(text, name).then(
    () => 'read',
    (error: { readonly code?: string; readonly message: string }) => `${error.code} ${error.message}`,
  )

describe('reading a deployment file', () => {
  it('matches keys in any case, ignores unknown ones, and takes null for absent', async () => {
    const text =
      '{"containers": [{"NAME": "web", "image": "acme/web", "publicports": [{"internal": 80}], "COUNT": 2, "Comment": 1, "links": null}], "INSTANCES": null}'
    expect(await readDeployment(text, 'shop.json')).toEqual({
      containers: [
        {
          name: 'web',
          image: 'acme/web',
          publicPorts: [{ internal: 80, external: 0 }],
          links: [],
          environment: [],
          count: 2,
          affinity: '',
          isolate: false,
        },
      ],
      instances: [],
      idPrefix: '',
      randomizeIds: false,
    })
  })

  it('reads YAML like JSON, anchors and aliases among it', async () => {
    const yaml = `
# The shop
IdPrefix: shop-
Containers:
  - &web
    Name: web
    Image: acme/web
    Count: 2
    Links: [{ To: db, Ports: [5432] }]
    Environment: &common
      - { Name: MODE, Value: prod }
      - { Name: WORDS, Value: "yes" }
  - Name: db
    Image: acme/db
    PublicPorts: [{ Internal: 5432 }]
    Environment: *common
`
    const json = JSON.stringify({
      IdPrefix: 'shop-',
      Containers: [
        {
          Name: 'web',
          Image: 'acme/web',
          Count: 2,
          Links: [{ To: 'db', Ports: [5432] }],
          Environment: [
            { Name: 'MODE', Value: 'prod' },
            { Name: 'WORDS', Value: 'yes' },
          ],
        },
        {
          Name: 'db',
          Image: 'acme/db',
          PublicPorts: [{ Internal: 5432 }],
          Environment: [
            { Name: 'MODE', Value: 'prod' },
            { Name: 'WORDS', Value: 'yes' },
          ],
        },
      ],
    })
    expect(await readDeployment(yaml, 'shop.yaml')).toEqual(await readDeployment(json, 'shop.json'))
    expect(await readDeployment(json, 'shop.yml')).toEqual(await readDeployment(json, 'shop.json'))
    expect(await readDeployment(json, 'shop.yaml.20260102-030405')).toEqual(await readDeployment(json, 'shop.json'))
  })

  it.each([
    [
      'a link to nowhere',
      '{"Containers": [{"Name": "a", "Image": "b/c"}, {"Name": "w", "Image": "b/c", "Links": [{}]}]}',
      'Containers[1].Links[0].To is missing: it must be a string',
    ],
    [
      'a port out of range',
      '{"Containers": [{"Name": "w", "Image": "b/c", "PublicPorts": [{"Internal": 70000}]}]}',
      'Containers[0].PublicPorts[0].Internal must be a whole number from 1 to 65535',
    ],
    ['a count that is text', '{"Containers": [{"Name": "w", "Image": "b/c", "Count": "2"}]}', 'Containers[0].Count must be a number'],
    ['an image that is none', '{"Containers": [{"Name": "w", "Image": "-x"}]}', 'Containers[0].Image'],
    [
      'an affinity nobody knows',
      '{"Containers": [{"Name": "w", "Image": "b/c", "Affinity": "near"}]}',
      'Containers[0].Affinity must be distribute or pack, or absent',
    ],
    [
      'a host that is none',
      '{"Instances": [{"Id": "web-1", "Image": "b/c", "From": "w", "On": "a b"}]}',
      'Instances[0].On the host must be a host name',
    ],
    [
      'a target that is no address',
      '{"Instances": [{"Id": "web-1", "Image": "b/c", "Ports": [{"Internal": 1, "Target": {"Host": "db"}}]}]}',
      'Instances[0].Ports[0].Target.Host must be an IPv4 address',
    ],
    ['a prefix ids cannot have', '{"IdPrefix": "-x"}', 'IdPrefix must be at most 22 characters'],
    [
      'a variable of two lines',
      '{"Containers": [{"Name": "w", "Image": "b/c", "Environment": [{"Name": "A", "Value": "1\\n2"}]}]}',
      'Containers[0].Environment[0].Value must be one line',
    ],
    ['a list', '[]', 'must be an object with Containers'],
    ['JSON that ends too early', '{"Containers": [\n{"Name": "w",', 'Containers[0]: the JSON text ends too early'],
    ['JSON with a mistake', '{"Containers": [\n{"Name" "w"}]}', 'Containers[0].Name: not JSON: expected ":" at line 2, column 9'],
    ['a key twice', '{"Containers": [], "Containers": []}', 'Containers: the key is given twice'],
    ['nesting without end', `{"Containers": ${'['.repeat(5000)}`, 'must not be nested more than 16 deep'],
    ['nothing', '', 'must be an object with Containers'],
  ])('refuses %s, and says where', async (_, text, message) => {
    expect(await refusal(text)).toMatch(/^DEPLOYMENT_INVALID /)
    expect(await refusal(text)).toContain(message)
  })

  it.each([
    ['a mistake', 'Containers:\n  - Name: w\n Image: b\n', 'line 3, column 1'],
    ['a tag', 'Containers: !!js/function "x"\n', 'tags are not allowed at line 1, column 13'],
    ['a tag of YAML itself', 'IdPrefix: !!binary aGk=\n', 'tags are not allowed at line 1, column 11'],
    ['two documents', 'IdPrefix: a\n---\nIdPrefix: b\n', 'there must be one document'],
    ['a key twice', 'IdPrefix: a\nIdPrefix: b\n', 'the key is given twice in one mapping at line 2, column 1'],
    ['keys that are no texts', '? [a]\n: b\n', 'keys must be texts'],
    ['nesting without end', '['.repeat(20_000), 'nested too deep'],
  ])('refuses YAML with %s, and says where', async (_, text, message) => {
    expect(await refusal(text, 'shop.yaml')).toContain('DEPLOYMENT_INVALID')
    expect(await refusal(text, 'shop.yaml')).toContain(message)
  })

  it('refuses YAML in which a few lines stand for millions', async () => {
    const lines = Array.from(
      { length: 9 },
      (_, index) =>
        `a${index}: &a${index} [${Array(9)
          .fill(index === 0 ? 'x' : `*a${index - 1}`)
          .join(', ')}]`,
    )
    expect(await refusal(lines.join('\n'), 'shop.yaml')).toBe('DEPLOYMENT_INVALID its aliases stand for too much')
  })

  it('refuses files that are too large, before it looks into them', async () => {
    expect(await refusal(`{"Comment": "${'x'.repeat(10_000_000)}"}`)).toBe(
      `DEPLOYMENT_INVALID it has more than ${limits.deploymentFileBytes} bytes`,
    )
    expect(await refusal(`# ${'x'.repeat(limits.deploymentYamlBytes)}`, 'shop.yaml')).toBe(
      `DEPLOYMENT_INVALID YAML text must not be longer than ${limits.deploymentYamlBytes} characters`,
    )
  })

  it('refuses more containers, links and instances than there may be', async () => {
    const containers = Array.from({ length: limits.deploymentContainersMax + 1 }, (_, index) => ({ Name: `w${index}`, Image: 'b/c' }))
    expect(await refusal(JSON.stringify({ Containers: containers }))).toContain('Containers must have at most 1000 entries')
    const links = Array.from({ length: limits.deploymentLinksMax + 1 }, () => ({ To: 'w0' }))
    expect(await refusal(JSON.stringify({ Containers: [{ ...containers[0], Links: links }] }))).toContain(
      'Containers[0].Links must have at most 100 entries',
    )
    const instances = Array.from({ length: limits.deploymentInstancesMax + 1 }, (_, index) => ({ Id: `w-${index}00`, Image: 'b/c' }))
    expect(await refusal(JSON.stringify({ Instances: instances }))).toContain('Instances must have at most 10000 entries')
  })
})

describe('writing a deployment file', () => {
  it('has fields in their order, and leaves out what is empty', () => {
    const text = printDeployment({
      containers: [
        {
          name: 'web',
          image: 'acme/web' as never,
          publicPorts: [
            { internal: 80, external: 8080 },
            { internal: 81, external: 0 },
          ],
          links: [{ to: 'web', nonLocal: true, matchPort: false, ports: [80], aliasPorts: [{ internal: 80, external: 0 }] }],
          environment: [{ name: 'A', value: '' }],
          count: 1,
          affinity: 'pack',
          isolate: true,
        },
        { name: 'db', image: 'acme/db' as never, publicPorts: [], links: [], environment: [], count: 0, affinity: '', isolate: false },
      ],
      idPrefix: 'p-',
      randomizeIds: false,
      instances: [
        {
          id: 'web-1',
          image: 'acme/web',
          group: 'web',
          host: parseHost('node7:4444'),
          ports: [
            { internal: 80, external: 8080, target: { host: '127.0.0.1', port: 80 } },
            { internal: 81, external: 0 },
          ],
          environment: [],
          isIsolated: true,
        },
      ],
    })
    expect(JSON.stringify(JSON.parse(text))).toBe(
      '{"Containers":[{"Name":"web","Image":"acme/web","PublicPorts":[{"Internal":80,"External":8080},{"Internal":81}],' +
        '"Links":[{"To":"web","NonLocal":true,"Ports":[80],"AliasPorts":[{"Internal":80}]}],"Environment":[{"Name":"A","Value":""}],"Count":1,"Affinity":"pack","Isolate":true},' +
        '{"Name":"db","Image":"acme/db","Count":0}],' +
        '"Instances":[{"Id":"web-1","Image":"acme/web","From":"web","On":"node7:4444","Ports":[{"Internal":80,"External":8080,"Target":{"Host":"127.0.0.1","Port":80}},{"Internal":81,"Target":{}}],"Isolate":true}],' +
        '"IdPrefix":"p-","RandomizeIds":false}',
    )
    expect(text).toMatch(/^\{\n {2}"Containers": \[\n/)
    expect(text).toMatch(/\}\n$/)
  })

  it('gives back what a deploy wrote before', async () => {
    const text = readFileSync(new URL('../../../deployment/fixtures/mongo_deploy_existing.json', import.meta.url), 'utf8')
    const made = planDeployment({ deployment: await readDeployment(text, 'x.json'), hosts: [parseHost('localhost')], drawText: () => '' })
    expect(printDeployment(made)).toBe(text)
  })
})

describe('the name of a deployment', () => {
  it.each([
    ['shop.json', 'shop.json'],
    ['deployment/fixtures/shop.json', 'shop.json'],
    ['./shop.json.20140522-205841', 'shop.json'],
    ['https://config.example/shop.yaml?token=1', 'shop.yaml'],
    ['https://config.example/', 'deployment'],
  ])('of %s is %s', (place, name) => {
    expect(deploymentName(place)).toBe(name)
  })

  it('gets the local time when a deploy writes it down', () => {
    expect(stampedName('shop.json', new Date(2026, 0, 2, 3, 4, 5))).toBe('shop.json.20260102-030405')
  })
})
