/**
 * Every bound gear keeps, in one table: a limit on everything that a caller, a container or a slow peer could make grow.
 * The reference page `docs/reference/limits.md` is made from here.
 */
interface Limit {
  readonly value: number
  readonly unit: 'bytes' | 'ms' | 'count' | 'port'
  readonly why: string
}

/** The bounds with their units and reasons; `limits` has the bare numbers. */
export const limitTable = {
  bodyBytes: { value: 102_400, unit: 'bytes', why: 'Largest request body.' },
  jsonDepth: { value: 32, unit: 'count', why: 'Deepest nesting of a request body.' },
  environmentNameBytes: { value: 1024, unit: 'bytes', why: 'Longest name of an environment variable.' },
  environmentValueBytes: { value: 8192, unit: 'bytes', why: 'Longest value of an environment variable.' },
  environmentSourceBytes: { value: 102_400, unit: 'bytes', why: 'Most that is read from an environment URL.' },
  environmentSourceMs: { value: 10_000, unit: 'ms', why: 'Longest wait for an environment URL, redirects included.' },
  environmentFileBytes: { value: 1_048_576, unit: 'bytes', why: 'Largest stored environment.' },
  portsMax: { value: 100, unit: 'count', why: 'Most port pairs of one container.' },
  linksMax: { value: 1000, unit: 'count', why: 'Most network links of one container.' },
  linkedContainersMax: { value: 1000, unit: 'count', why: 'Most containers whose links one request sets.' },
  linkCheckMs: { value: 3000, unit: 'ms', why: 'Longest wait for the target of a link that is checked.' },
  volumesMax: { value: 100, unit: 'count', why: 'Most volumes, and most bind mounts, of one container.' },
  capabilitiesMax: { value: 50, unit: 'count', why: 'Most capabilities that one container is given, or loses.' },
  variablesMax: { value: 1000, unit: 'count', why: 'Most environment variables in one request.' },
  keysMax: { value: 500, unit: 'count', why: 'Most public keys in one request.' },
  keyPermissionsMax: { value: 200, unit: 'count', why: 'Most containers and repositories that one request lets keys into.' },
  requestsRemembered: { value: 1000, unit: 'count', why: 'Finished requests whose result a repeat is given.' },
  requestReplayBytes: { value: 65_536, unit: 'bytes', why: 'Most output of one finished request that is kept for a repeat.' },
  requestsReplayBytes: { value: 33_554_432, unit: 'bytes', why: 'Most output of all finished requests that is kept for repeats.' },
  jobsRunning: { value: 32, unit: 'count', why: 'Requests worked on at once.' },
  jobsWaiting: { value: 1000, unit: 'count', why: 'Requests that wait for their turn; one more is answered 503.' },
  streamsRunning: { value: 100, unit: 'count', why: 'Logs followed and waits held at once; one more is answered 503.' },
  logWindowMs: { value: 30_000, unit: 'ms', why: 'Length of a log request without parameters.' },
  logLinesMax: { value: 10_000, unit: 'count', why: 'Most past lines that one log request asks for.' },
  sessionFrameBytes: { value: 262_144, unit: 'bytes', why: 'Largest frame of a session, such as an exec.' },
  execWordsMax: { value: 1000, unit: 'count', why: 'Most words of a command that is run in a container.' },
  containerPathBytes: { value: 4096, unit: 'bytes', why: 'Longest path of a file or folder in a container.' },
  copyBytes: { value: 68_719_476_736, unit: 'bytes', why: 'Most of one copy into or out of a container.' },
  copyFiles: { value: 1_000_000, unit: 'count', why: 'Most files and folders of one copy out of a container.' },
  copyIdleMs: { value: 30_000, unit: 'ms', why: 'Longest time in which the caller of a copy, or the engine, gives or takes nothing.' },
  copyEndMs: { value: 60_000, unit: 'ms', why: 'Longest wait for the engine after the last byte of a copy into a container.' },
  logLineBytes: { value: 65_536, unit: 'bytes', why: 'Longest line of a log that is passed on whole.' },
  stopWaitMs: { value: 15_000, unit: 'ms', why: 'Longest wait of a stop with Wait.' },
  startWaitMs: { value: 1_800_000, unit: 'ms', why: 'Longest wait for a start; a first start may pull a large image.' },
  settleMs: { value: 500, unit: 'ms', why: 'A container that a wait reports as started has run at least this long.' },
  unitJobMs: { value: 150_000, unit: 'ms', why: 'Longest wait for a systemd job that a delete or purge depends on.' },
  engineCallMs: { value: 10_000, unit: 'ms', why: 'Longest wait for one answer of the container engine.' },
  busCallMs: { value: 30_000, unit: 'ms', why: 'Longest wait for one answer of systemd.' },
  toolCallMs: { value: 10_000, unit: 'ms', why: 'Longest run of a tool such as systemctl.' },
  toolOutputBytes: { value: 1_048_576, unit: 'bytes', why: 'Most output read from a tool.' },
  shutdownMs: { value: 10_000, unit: 'ms', why: 'Time that running requests have to end when the agent is stopped.' },
  buildMs: { value: 7_200_000, unit: 'ms', why: 'Longest run of a build that an agent was asked for.' },
  buildsRunning: { value: 4, unit: 'count', why: 'Builds that run at once for callers of an agent, of pushes among them; others wait.' },
  buildsWaiting: { value: 64, unit: 'count', why: 'Builds that wait for those; one more is answered 503.' },
  buildsKept: { value: 50, unit: 'count', why: 'Finished builds whose outcome and log are kept.' },
  buildLogBytes: { value: 4_194_304, unit: 'bytes', why: 'Most that is kept of the log of a build; its middle is dropped.' },
  buildMemoryBytes: { value: 1_073_741_824, unit: 'bytes', why: 'Memory of a builder container, unless a build says otherwise.' },
  buildPids: { value: 4096, unit: 'count', why: 'Most processes in a builder container.' },
  buildScriptBytes: {
    value: 1_048_576,
    unit: 'bytes',
    why: 'Largest script that is fetched for a build, and largest .s2i file that is read.',
  },
  buildScriptMs: { value: 30_000, unit: 'ms', why: 'Longest wait for a script that is fetched for a build.' },
  buildArtifactsBytes: { value: 4_294_967_296, unit: 'bytes', why: 'Most that save-artifacts may print.' },
  buildIgnored: { value: 10_000, unit: 'count', why: 'Most paths that the patterns of one .s2iignore match.' },
  buildIgnoreLooks: {
    value: 5_000_000,
    unit: 'count',
    why: 'Most names of files that the patterns of one .s2iignore are held against, all together.',
  },
  callbackMs: { value: 10_000, unit: 'ms', why: 'Longest wait for the answer of a callback; it is called three times at most.' },
  connectMs: { value: 10_000, unit: 'ms', why: 'Longest wait of the client for a connection to a host.' },
  oneOffJobs: { value: 32, unit: 'count', why: 'Jobs that run at once; one more is answered 503.' },
  repositoryCreateMs: { value: 3_600_000, unit: 'ms', why: 'Longest run of the unit that makes a repository; a clone may be large.' },
  commitFiles: {
    value: 200_000,
    unit: 'count',
    why: 'Most files of a commit that is packed or built: a few trees can say that they hold millions.',
  },
  commitBytes: { value: 10_737_418_240, unit: 'bytes', why: 'Most that those files have together; what is pushed may be far smaller.' },
  repositoryTasks: { value: 256, unit: 'count', why: 'Most processes and threads of that unit.' },
  deploysWaiting: {
    value: 8,
    unit: 'count',
    why: 'Deployments of one repository that wait for their turn, so that one pusher does not take the streams of all; each builds what is there then.',
  },
  hostsAtOnce: { value: 32, unit: 'count', why: 'Hosts that one command talks to at once.' },
  headerBytes: { value: 16_384, unit: 'bytes', why: 'Largest header of a request, or of an answer to the client.' },
  connectionsMax: { value: 1000, unit: 'count', why: 'Open connections on one listener.' },
  deploymentFileBytes: { value: 8_388_608, unit: 'bytes', why: 'Largest deployment file; 10 000 instances have about 4 MiB.' },
  deploymentYamlBytes: { value: 1_048_576, unit: 'bytes', why: 'Largest deployment file in YAML, which takes long to read.' },
  deploymentContainersMax: { value: 1000, unit: 'count', why: 'Most containers that one deployment describes.' },
  deploymentInstancesMax: { value: 10_000, unit: 'count', why: 'Most instances of one deployment, and the largest Count.' },
  deploymentLinksMax: { value: 100, unit: 'count', why: 'Most links that one container of a deployment describes.' },
  deployCallMs: {
    value: 60_000,
    unit: 'ms',
    why: 'Longest wait of a deploy for the answer to one call; deletes wait for systemd and have longer.',
  },
  leaseSeconds: { value: 3600, unit: 'count', why: 'Longest lease on a deployment, in seconds, before it has to be taken again.' },
  portFirst: { value: 4000, unit: 'port', why: 'First port that gear allocates.' },
  portLast: { value: 59_999, unit: 'port', why: 'Last port that gear allocates.' },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof limitTable

/** The bare numbers, by name. */
export const limits = Object.fromEntries(Object.entries(limitTable).map(([name, limit]) => [name, limit.value])) as {
  readonly [Name in LimitName]: number
}
