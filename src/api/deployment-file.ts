/**
 * The deployment file (spec §10.1): which containers there should be, how they reach each other, and what a deploy made of it. No call carries
 * it, but it is a contract like the API: keys match in any case, unknown keys are ignored, `null` counts as absent.
 */
import { isIpv4Address, type LocatorHost, parseHost } from '../formats/index.ts'
import { flag, id, image, list, parsed, portOrZero, portPair, portPairs, text, variable, wants, whole } from './fields.ts'
import { limits } from './limits.ts'
import * as z from './schemas.ts'

/** What names a container of the file. Ids begin with the prefix and this, so it is made of what ids are made of. */
const name = text.check(
  z.refine(value => /^[A-Za-z0-9_.-]{1,64}$/.test(value), { error: () => 'must be 1 to 64 characters of A-Z a-z 0-9 _ . -' }),
)

const idPrefix = text.check(
  z.refine(value => /^(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,21})?$/.test(value), {
    error: () => 'must be at most 22 characters of A-Z a-z 0-9 _ . - and start with a letter or digit',
  }),
)

const port = whole(1, 65_535)
const variables = z._default(list(variable, limits.variablesMax), [])

const link = z.object(
  {
    /** The name of another container of the file, or its own. */
    to: text,
    /** The local side is 192.168.x.y and not 127.0.0.x. */
    nonLocal: flag,
    /** The local port is the target's own, so that addresses tell targets apart. */
    matchPort: flag,
    /** Internal ports of the target. */
    ports: z._default(list(port, limits.portsMax), []),
    /** `internal` is the target's port, `external` the local one; 0 for no preference. */
    aliasPorts: z._default(list(portPair, limits.portsMax), []),
  },
  wants('an object with To, NonLocal, MatchPort, Ports and AliasPorts'),
)

const container = z.object(
  {
    name,
    image,
    publicPorts: z._default(portPairs, []),
    links: z._default(list(link, limits.deploymentLinksMax), []),
    environment: variables,
    count: z._default(whole(0, limits.deploymentInstancesMax), 0),
    affinity: z._default(z.enum(['', 'distribute', 'pack'], wants('distribute or pack, or absent')), ''),
    /** Its instances run as Unix accounts of their own. The original's files do not have it. */
    isolate: flag,
  },
  wants('an object with Name, Image, PublicPorts, Links, Environment, Count, Affinity and Isolate'),
)

const address = text.check(z.refine(value => value === '' || isIpv4Address(value), { error: () => 'must be an IPv4 address' }))

const portMapping = z.object(
  {
    internal: port,
    external: portOrZero,
    /** The local address by which other containers reach this port. */
    target: z.optional(z.object({ host: z._default(address, ''), port: portOrZero }, wants('an object with Host and Port'))),
  },
  wants('an object with Internal, External and Target'),
)

const instance = z.object(
  {
    id,
    image,
    /** The name of its container. */
    from: z._default(text, ''),
    /** Its host; absent for one that was never placed. */
    on: z.optional(parsed((input): LocatorHost => parseHost(input))),
    ports: z._default(list(portMapping, limits.portsMax), []),
    environment: variables,
    /** How it was installed. */
    isolate: flag,
  },
  wants('an object with Id, Image, From, On, Ports, Environment and Isolate'),
)

/** The whole file. */
export const deploymentFile = z.object(
  {
    containers: z._default(list(container, limits.deploymentContainersMax), []),
    instances: z._default(list(instance, limits.deploymentInstancesMax), []),
    idPrefix: z._default(idPrefix, ''),
    randomizeIds: flag,
  },
  wants('an object with Containers'),
)

/** A deployment file that was read. */
export type Deployment = z.infer<typeof deploymentFile>
