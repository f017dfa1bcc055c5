/** The operations that reach into a running container: commands, and files both ways. */
import { execWords, flag, id, maxBytes, nothing, optionalFlag, text, wants, whole } from './fields.ts'
import { limits } from './limits.ts'
import { operation } from './operation.ts'
import * as z from './schemas.ts'

const containerParams = z.object({ id })

const terminalSize = whole(1, 65_535)
/** Of a file or folder in a container: links in it are followed, but there is no way up that would depend on them. */
const containerPath = text.check(
  maxBytes(limits.containerPathBytes),
  z.refine(
    value => value.startsWith('/') && value.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(value) && !value.split('/').includes('..'),
    wants('an absolute path in the container, without ".." and control characters'),
  ),
)
/** A user in the container, or the empty string for the one that is usual. */
const execUser = text.check(
  z.refine(
    value => /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?)?$/.test(value),
    wants('a user, with a group after a colon or not'),
  ),
)

const execBody = z.object({
  command: execWords,
  /** With a terminal there is one output, and input is what somebody types. */
  terminal: flag,
  columns: z._default(terminalSize, 80),
  rows: z._default(terminalSize, 24),
  user: z._default(execUser, ''),
  input: z._default(optionalFlag, true),
})
export type ExecIn = z.infer<typeof execBody>

export const execContainer = operation({
  id: 'execContainer',
  method: 'POST',
  path: '/container/{id}/exec',
  summary: 'Run a command in a running container',
  description:
    'A session: the request asks for an upgrade, and the body is its first frame. The command ends when the connection does. It runs as the account of an isolated container, otherwise as the user of the container, unless User is given.',
  params: containerParams,
  query: nothing,
  body: execBody,
  reply: { kind: 'session' },
  errors: ['CONTAINER_UNKNOWN', 'CONTAINER_NOT_RUNNING', 'UPGRADE_REQUIRED', 'ENGINE_FAILED', 'ENGINE_UNAVAILABLE', 'STORAGE_FAILED'],
  effect: 'once',
  lane: 'stream',
})

/** What may be at a path. Devices and sockets count as files. */
const fileKinds = ['file', 'folder'] as const
export type FileKind = (typeof fileKinds)[number]

const fileErrors = [
  'CONTAINER_UNKNOWN',
  'CONTAINER_NOT_RUNNING',
  'FILE_UNKNOWN',
  'ENGINE_FAILED',
  'ENGINE_UNAVAILABLE',
  'STORAGE_FAILED',
] as const

export const getFileKind = operation({
  id: 'getFileKind',
  method: 'GET',
  path: '/container/{id}/files/kind',
  summary: 'What is at a path in a running container',
  description: 'Links are followed, within the container.',
  params: containerParams,
  query: z.object({ path: containerPath }),
  reply: { kind: 'data', schema: z.object({ kind: z.enum(fileKinds) }) },
  errors: fileErrors,
  effect: 'read',
  lane: 'job',
})

export const readFiles = operation({
  id: 'readFiles',
  method: 'GET',
  path: '/container/{id}/files',
  summary: 'A file, or a folder with all that is in it, out of a running container',
  description:
    'A tar. Its first entry is the file or folder, under its own name; all others are in it. The root folder may come without an entry of its own. Links in the path are followed within the container, links in a folder come as links. A copy that breaks off ends the connection.',
  params: containerParams,
  query: z.object({ path: containerPath }),
  reply: { kind: 'bytes' },
  errors: fileErrors,
  effect: 'read',
  lane: 'stream',
})

export const writeFiles = operation({
  id: 'writeFiles',
  method: 'POST',
  path: '/container/{id}/files',
  summary: 'Unpack a tar in a folder of a running container',
  description:
    'A session: the request asks for an upgrade, the body is its first frame, and the input is the tar. It ends with exit code 0 when all is unpacked. Files that are there are replaced, a folder never by something else. Owners are the numbers in the tar. What had arrived before a failure stays.',
  params: containerParams,
  query: nothing,
  body: z.object({ folder: containerPath }),
  reply: { kind: 'session' },
  errors: [...fileErrors, 'COPY_STALLED', 'COPY_TOO_LARGE', 'UPGRADE_REQUIRED'],
  effect: 'once',
  hasDryRun: true,
  lane: 'stream',
})
