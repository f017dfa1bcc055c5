/**
 * The error catalogue: every failure gear reports has a code from this table, with its HTTP status, the shape of its answer on the
 * wire (spec §3.4: `text` for what is refused before any work starts, `json` for work that failed) and one sentence on what to do.
 * `GearError` carries a code, what was being attempted and the cause. The reference page `docs/reference/errors.md` is made from here.
 */
import { oneLine } from '../lib/index.ts'

/** What the catalogue says of a code. */
export interface ErrorEntry {
  readonly status: number
  /** `text`: refused before the work began (spec §3.4 b). `json`: the work failed (spec §3.4 a). */
  readonly shape: 'text' | 'json'
  /** What it means, for the reference page. */
  readonly meaning: string
  /** What the reader should do next; appended to the message. */
  readonly next: string
}

/** All codes, grouped by where they arise. A code once published keeps its meaning. */
export const errorCatalogue = {
  INPUT_INVALID: {
    status: 400,
    shape: 'text',
    meaning: 'A field of the request breaks a rule; nothing was changed.',
    next: 'Correct the field that is named and send the request again.',
  },
  DEPLOYMENT_INVALID: {
    status: 400,
    shape: 'text',
    meaning: 'A deployment file breaks a rule, or asks for what cannot be; nothing was changed anywhere.',
    next: 'Correct the place that is named, and deploy again.',
  },
  COMMAND_LINE_INVALID: {
    status: 400,
    shape: 'text',
    meaning: 'A command line cannot be carried out as it stands; nothing was sent to any host.',
    next: 'Correct what is named; gear COMMAND --help has the arguments and flags.',
  },
  DEPLOYMENT_UNREADABLE: {
    status: 400,
    shape: 'text',
    meaning: 'A deployment file could not be read, or fetched from its URL; nothing was changed anywhere.',
    next: 'Check the name of the file, or fetch the URL with curl to see what it answers.',
  },
  UPDATE_HELD_BACK: {
    status: 500,
    shape: 'json',
    meaning: 'An instance of a deployment was not updated, because the update of another one of its container failed.',
    next: 'Find out why the other one failed, correct the deployment, and deploy the file that was written.',
  },
  REMOVAL_HELD_BACK: {
    status: 500,
    shape: 'json',
    meaning: 'An instance of a deployment was to go but was kept, because what takes its place does not run.',
    next: 'Find out why the new one does not run, and deploy the file that was written; the old one goes then.',
  },
  LEASE_HELD: {
    status: 409,
    shape: 'json',
    meaning: 'Somebody else is deploying the same, or containers of the same names, at the moment.',
    next: 'Wait until that deploy has ended (gear leases HOST; gear deploy --wait SECONDS waits itself), then deploy the file that it wrote.',
  },
  CONFIG_INVALID: {
    status: 400,
    shape: 'text',
    meaning: 'A setting of the agent breaks a rule, so the agent did not start.',
    next: 'Correct the setting that is named; gear daemon --show-config tells where each comes from.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    shape: 'text',
    meaning: 'The request body is larger than the agent reads.',
    next: 'Send less: a body may have 100 KiB. Put large environments behind --env-url or in several PATCH requests.',
  },
  REQUEST_ID_INVALID: {
    status: 400,
    shape: 'text',
    meaning: 'X-Request-Id is not 16 bytes in one of the three spellings.',
    next: 'Send 32 hex digits or 22 base64url characters, or leave the header out.',
  },
  REQUEST_ID_REUSED: {
    status: 409,
    shape: 'json',
    meaning: 'The request id was used before for a different request.',
    next: 'Use a fresh request id; only an identical request may repeat one.',
  },
  DRY_RUN_UNSUPPORTED: {
    status: 417,
    shape: 'text',
    meaning: 'The agent is of a version without dry runs, so it can only carry the call out; nothing was changed.',
    next: 'Upgrade gear on that host, or go on without --dry-run.',
  },
  QUEUE_FULL: {
    status: 503,
    shape: 'text',
    meaning: 'The agent has as much work waiting as it accepts.',
    next: 'Send the same request again after the number of seconds in Retry-After; the request id is still free.',
  },
  ROUTE_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'The API has no such path.',
    next: 'See GET /openapi.json for the paths there are.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    shape: 'json',
    meaning: 'The path exists, but not with this method.',
    next: 'See GET /openapi.json for the methods of this path.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    shape: 'json',
    meaning: 'The result has no text table, and Accept asks for text/plain only.',
    next: 'Ask with Accept: application/json.',
  },
  CALLER_REFUSED: {
    status: 403,
    shape: 'text',
    meaning: 'The caller may not use this listener: the API is as powerful as root.',
    next: 'Call as root or as a member of the group gear, or use a listener with a token.',
  },
  TOKEN_REQUIRED: {
    status: 401,
    shape: 'text',
    meaning: 'This listener serves only requests with the right bearer token.',
    next: 'Give the token: --token-file FILE on the command line, Authorization: Bearer on the wire.',
  },
  TOKEN_FILE_REFUSED: {
    status: 400,
    shape: 'text',
    meaning: 'The file with the tokens of agents cannot be used by the command line; nothing was sent.',
    next: 'It must be yours alone (chmod 600) and hold one token, or a line "HOST[:PORT] TOKEN" for each host.',
  },
  BROWSER_REFUSED: {
    status: 403,
    shape: 'text',
    meaning: 'The request comes from a web page (Origin, Sec-Fetch-Site) or names a foreign Host.',
    next: 'Use the command line or a program; web pages may not reach the agent.',
  },
  CONTAINER_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'No container with this id is installed on the host.',
    next: 'See which there are with: gear list-units --all.',
  },
  ENVIRONMENT_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'No environment with this id is stored on the host.',
    next: 'Create it with: gear set-env ID NAME=VALUE.',
  },
  ENVIRONMENT_FETCH_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The environment could not be read from the URL given.',
    next: 'Check the URL from the host itself; addresses of the host and of its local network segment are refused.',
  },
  REPOSITORY_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'No repository with this id is on the host.',
    next: 'See which there are with: gear list-repos.',
  },
  COMMIT_TOO_LARGE: {
    status: 500,
    shape: 'json',
    meaning: 'A commit has more files than are packed or built, or larger ones.',
    next: 'Keep what is large out of the repository; gear explain COMMIT_TOO_LARGE tells the limits.',
  },
  REPOSITORY_EXISTS: {
    status: 409,
    shape: 'json',
    meaning: 'A repository with this id exists already, or is being created.',
    next: 'Choose another id, or delete the repository first: gear delete-repo ID.',
  },
  REPOSITORY_CREATE_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The repository could not be created or cloned; nothing of it is left.',
    next: 'Look at what git said, check the address from the host itself, and send the request again.',
  },
  REPOSITORY_BUSY: {
    status: 503,
    shape: 'json',
    meaning: 'The repository is being created, its account still has processes that do not end, or enough deployments of it wait.',
    next: 'Wait until they have ended, and send the request again.',
  },
  REPOSITORY_WITHOUT_BUILD: {
    status: 409,
    shape: 'json',
    meaning: 'Pushes to this repository are not built: it was created without a build.',
    next: 'Create it with: gear create-repo ID --build BASE_IMAGE --tag TAG --restart CONTAINER.',
  },
  DEPLOY_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'What was pushed was built, but its container could not be brought up with it.',
    next: 'Look at: gear status CONTAINER; then push again, or: gear deploy-repo ID.',
  },
  REF_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'The repository has no branch, tag or commit of this name.',
    next: 'See which there are with: git ls-remote git-ID@HOST:~.',
  },
  PORT_TAKEN: {
    status: 500,
    shape: 'json',
    meaning: 'An external port that was asked for is reserved by another container or used by another program.',
    next: 'Choose another external port, or 0 to have one allocated.',
  },
  PORTS_EXHAUSTED: {
    status: 500,
    shape: 'json',
    meaning: 'No free port is left in the range gear allocates from.',
    next: 'Delete containers that are not needed, or name a port outside 4000-59999.',
  },
  NAME_TAKEN: {
    status: 409,
    shape: 'json',
    meaning: 'The engine, or another container of gear, already owns an object of this name.',
    next: 'Choose another id, or remove the object that has the name.',
  },
  ENGINE_DIFFERS: {
    status: 409,
    shape: 'json',
    meaning: 'The container is installed on another engine than the one asked for; its data are there.',
    next: 'Install without an engine to keep it where it is; to move it, save its data, delete it and install it again.',
  },
  USER_NAMESPACE_UNSUPPORTED: {
    status: 400,
    shape: 'text',
    meaning: 'A user namespace was asked for on Docker, which has them for all containers or for none.',
    next: 'Install on Podman (--engine podman), or without --userns.',
  },
  SOCKET_ACTIVATION_UNSUPPORTED: {
    status: 400,
    shape: 'text',
    meaning: 'SocketActivation is not supported by this version.',
    next: 'Install without --socket-activated.',
  },
  KEYS_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'Some of the keys or permissions of a request could not be stored; the others are.',
    next: 'Correct what is named (Data has the position of each key) and send the request again; what is stored already does no harm.',
  },
  KEY_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'No such public key is stored on the host, or it is not let into what was named.',
    next: 'See which there are with: gear keys list.',
  },
  CONTAINER_NOT_RUNNING: {
    status: 409,
    shape: 'json',
    meaning: 'The container does not run, so nothing can be run in it, and nothing copied.',
    next: 'Start it with: gear start ID; gear status ID tells why it does not run.',
  },
  FILE_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'There is no such file or folder in the container, or a file where a folder is needed.',
    next: 'See what there is with: gear exec ID -- ls -la FOLDER.',
  },
  COPY_TOO_LARGE: {
    status: 413,
    shape: 'json',
    meaning: 'A copy into or out of a container is larger than 64 GiB; what arrived before is there.',
    next: 'Copy it in parts, or put it into a volume of the host.',
  },
  COPY_STALLED: {
    status: 408,
    shape: 'json',
    meaning: 'A copy into or out of a container stood still, because its caller gave or took nothing; what arrived before is there.',
    next: 'Copy again. What is slow to come is better put into a file first.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    shape: 'json',
    meaning: 'The call is a session, in which both sides talk, and the request did not ask for one.',
    next: 'Use gear exec or gear cp, or send Connection: Upgrade and Upgrade: gear-session and then frames, as the reference has it.',
  },
  CONTAINER_CHANGING: {
    status: 429,
    shape: 'json',
    meaning: 'The container is being started already.',
    next: 'Wait until it has started, then ask again.',
  },
  START_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The unit did not reach the state that was waited for.',
    next: 'Look at the cause and at: gear status ID, gear log ID.',
  },
  WAIT_TIMEOUT: {
    status: 500,
    shape: 'json',
    meaning: 'The unit did not settle within the time that was allowed.',
    next: 'The work goes on; look at: gear status ID.',
  },
  SYSTEMD_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'systemd refused or failed an operation.',
    next: 'Look at: systemctl status, journalctl -b -u UNIT.',
  },
  SYSTEMD_UNAVAILABLE: {
    status: 503,
    shape: 'json',
    meaning: 'systemd cannot be reached over D-Bus.',
    next: 'Check that dbus.service runs and that gear is root.',
  },
  ENGINE_UNAVAILABLE: {
    status: 503,
    shape: 'json',
    meaning: 'The container engine does not answer.',
    next: 'Check: systemctl status docker, or podman info where containers are on Podman. A docker that hangs is restarted with: systemctl restart docker; podman waits for the locks of another podman (ps -fC podman).',
  },
  ENGINE_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The container engine refused or failed an operation.',
    next: 'Look at what it said, and on Docker at: journalctl -u docker. Where its storage is full or read-only (df -h, findmnt), mend that first.',
  },
  PULL_STALLED: {
    status: 504,
    shape: 'json',
    meaning: 'An image did not come: next to nothing of it came from its registry for minutes, so the pull was ended.',
    next: 'Check that this host reaches the registry: curl -v https://REGISTRY/v2/. For one that is slow to begin: GEARD_PULL_STALL_SECONDS in /etc/default/gear.',
  },
  PULL_RATE_LIMITED: {
    status: 503,
    shape: 'json',
    meaning: 'A registry refuses more requests for now (429), so an image could not be pulled.',
    next: 'Wait, or log in on this host (docker login, podman login): registries allow more to those whom they know.',
  },
  ACCOUNT_TAKEN: {
    status: 409,
    shape: 'json',
    meaning: 'The host has an account of the name that gear needs, and it is not one that gear made.',
    next: 'Rename or remove that account, or use another id.',
  },
  ACCOUNT_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'An account of the host could not be made, removed or given its files.',
    next: 'Look at what the tool said; when it is in use, end what runs as that account and send the same request again.',
  },
  DISK_FULL: {
    status: 500,
    shape: 'json',
    meaning: 'A file could not be written because the file system is full.',
    next: 'Make room below /var/lib/containers and send the same request again.',
  },
  STORAGE_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'A file of gear could not be read or written.',
    next: 'Check the file that is named and the file system it is on.',
  },
  LOCAL_UNSUPPORTED: {
    status: 400,
    shape: 'text',
    meaning: 'Only a Linux host with systemd runs containers; on every other system gear is a client of such hosts.',
    next: 'Name the host: HOST/ID for containers and environments, HOST for list-units, top and purge.',
  },
  WRITER_BUSY: {
    status: 503,
    shape: 'json',
    meaning: 'Another gear process holds the write lock of this host.',
    next: 'Wait for it to end, or start the agent (systemctl start gear) and let commands go through it.',
  },
  COMMAND_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'A tool of the host failed.',
    next: 'Look at the output that is quoted.',
  },
  SOURCE_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The source of a build could not be read or cloned.',
    next: 'Check the path; for a repository, the address and the ref from the host itself: git ls-remote ADDRESS.',
  },
  BUILD_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'A script of a build ended with a failure; no image was made.',
    next: 'Look at the output of the script; run it by hand in the builder image.',
  },
  BUILD_SCRIPT_MISSING: {
    status: 500,
    shape: 'json',
    meaning: 'A build found no assemble script: neither in the source, nor at --scripts, nor where the builder image says.',
    next: 'Use a builder image, give --scripts URL, or put an executable .s2i/bin/assemble into the source.',
  },
  BUILD_STOPPED: {
    status: 500,
    shape: 'json',
    meaning: 'A build was ended before it had finished: it was stopped, took too long, or its host went down.',
    next: 'Build again.',
  },
  BUILD_UNKNOWN: {
    status: 404,
    shape: 'json',
    meaning: 'No build of this id is kept on the host.',
    next: 'See which there are with: gear builds.',
  },
  JOB_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The command of a job ended with a failure.',
    next: 'Look at its output; 125 to 127 mean that the engine, the image or the program in it was not there.',
  },
  CALLBACK_FAILED: {
    status: 500,
    shape: 'json',
    meaning: 'The callback URL of a build could not be called.',
    next: 'Check the URL from the host itself; addresses of the host and of its local network segment are refused for remote callers.',
  },
  HOST_UNREACHABLE: {
    status: 503,
    shape: 'json',
    meaning: 'The agent of a host does not answer.',
    next: 'Check that gear.service runs there and that the port (43273) can be reached.',
  },
  REPLY_UNEXPECTED: {
    status: 502,
    shape: 'json',
    meaning: 'An agent answered with something that is not of this API.',
    next: 'Check that the address is that of a gear agent, and that both sides have the same version.',
  },
  INTERNAL: {
    status: 500,
    shape: 'json',
    meaning: 'A mistake in gear itself.',
    next: 'Report it with the request id and the log of gear.service.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

/** A rule that one field of a request breaks. `field` is the path in wire names, such as `Ports[0].External`. */
export interface FieldError {
  readonly field: string
  readonly rule: string
}

/** What may accompany a failure besides its code and message. */
export interface GearErrorOptions {
  readonly cause?: unknown
  readonly fields?: readonly FieldError[]
  /** More for programs; goes out as `Data`. */
  readonly data?: unknown
  /** Seconds after which a repeat makes sense; goes out as Retry-After. */
  readonly retryAfterSeconds?: number
}

/** A failure of the world, with what was attempted in its message. Programmer errors are not of this class. */
export class GearError extends Error {
  readonly code: ErrorCode
  readonly fields: readonly FieldError[]
  readonly data: unknown
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string, options: GearErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GearError'
    this.code = code
    this.fields = options.fields ?? []
    this.data = options.data
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get entry(): ErrorEntry {
    return errorCatalogue[this.code]
  }
}

/** Any thrown thing as a `GearError`; what is not one already is a mistake of ours. */
export function asGearError(error: unknown): GearError {
  if (error instanceof GearError) return error
  return new GearError('INTERNAL', 'The request failed because of a mistake in gear', { cause: error })
}

/** The message with its causes, one line: `what was attempted: why: why`. Stacks stay in the log. */
export function explain(error: unknown): string {
  const parts: string[] = []
  let current: unknown = error
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    if (!(current instanceof GearError && current.code === 'INTERNAL') || depth === 0) parts.push(current.message)
    if (current instanceof GearError && current.code === 'INTERNAL') break
    current = current.cause
  }
  return oneLine(parts.join(': '))
}
