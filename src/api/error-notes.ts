/**
 * More on errors that raise questions, for the page of each and for `gear explain`: what usually leads to them, and how to tell. Apart from the
 * catalogue because the command line loads that at every start and seldom needs these words.
 */
import type { ErrorCode } from './errors.ts'

/** By code; what the catalogue says is not repeated. */
export const errorNotes: Partial<Readonly<Record<ErrorCode, string>>> = {
  INPUT_INVALID:
    'Every broken rule is named, up to twenty of them, with the path of its field in the names of the wire. The command line checks the same rules before it sends anything, so that one wrong name among many hosts changes nothing anywhere.',
  BODY_TOO_LARGE: 'The limit is that of the original, and holds for every call. It is met with environments of many variables, mostly.',
  COMMIT_TOO_LARGE:
    'At most 200,000 files of 10 GiB together are packed or built. A few kilobytes that are pushed can say that they hold millions of files, by folders that are the same one again and again; such a commit is counted, not written out.',
  REQUEST_ID_REUSED:
    'An agent remembers the last thousand requests by their id, so that a caller who lost the connection can ask again and is given the same answer. An id belongs to one method, path and body.',
  DRY_RUN_UNSUPPORTED:
    'The client asks for a dry run in a way that an older agent refuses by itself (the header Expect), so that a request for a plan is never carried out.',
  QUEUE_FULL:
    'The agent works on 32 requests at once and lets 1000 wait; 100 logs and waits may be open at once. More than that is refused, not kept waiting.',
  CALLER_REFUSED:
    'On the Unix socket and on loopback, callers are known by their user id: root and members of the group gear are served. Whoever was added to the group has to log in anew. On this machine without an agent only root can do the work.',
  TOKEN_REQUIRED:
    'A listener that other hosts can reach serves only those who send its token. The agent has one token, and the command line a file with those of its agents: --token-file, GEAR_TOKENS, or ~/.config/gear/tokens. A call that was refused is not tried again, nor are the others of the same command on that host.',
  TOKEN_FILE_REFUSED:
    'Whoever reads a token is as good as root on its host, so a file that others may read or change is not used at all. A file with one token alone is for every agent that is called; with a line for each host, * stands for all that have none of their own.',
  BROWSER_REFUSED:
    'A page in a browser on the host could otherwise post to the agent in the name of whoever looks at it. A request by another name of the host is let in when the name is given with --host-names.',
  CONTAINER_UNKNOWN:
    'Ids are of one host: web-1 on this machine and node7/web-1 are two. A container exists when its unit file does; list-units without --all leaves out what systemd has not loaded.',
  ENVIRONMENT_UNKNOWN:
    'An environment is a thing of its own, with its own id. Installing with variables but no --env-id makes one under a random id, which the command prints.',
  ENVIRONMENT_FETCH_FAILED:
    'The host fetches the URL itself, with a limit of time and size, and follows redirects. Callers from other hosts may not have it look at its own addresses.',
  PORT_TAKEN:
    'Ports are reserved below /var/lib/containers/ports, whether the container runs or not; the message names the holder. Programs that are no containers are found by trying the port.',
  PORTS_EXHAUSTED: 'A reservation lasts as long as the container is installed. Stopping one frees nothing; deleting it does.',
  NAME_TAKEN:
    'The engine has one name space for all containers. gear touches none that does not carry its label, so a foreign container of the same name stands in the way. shop also owns shop-data, where its volumes are kept.',
  CONTAINER_CHANGING: 'A restart in the middle of a start would lose the start. The answer says after how many seconds to ask again.',
  START_FAILED:
    'The message has the cause that systemd, the engine or the application gave, the exit code of the last run among it. Common ones: the image cannot be pulled, the command in it does not exist, a port is used, memory ran out.',
  WAIT_TIMEOUT: 'Only the waiting ended. A first start may be pulling a large image: the log shows how far it is.',
  SYSTEMD_FAILED: 'The message has what systemd answered. A job that ended as timeout ran longer than its unit allows.',
  SYSTEMD_UNAVAILABLE: 'gear speaks to systemd over the system bus. In a container without systemd there is none.',
  ENGINE_UNAVAILABLE: 'Containers that run are not touched by it. The engine may be starting; the socket is tried anew with every call.',
  DISK_FULL: 'A quota or a lack of inodes counts as well (df -i). Nothing half written is left: the same request can be sent again.',
  STORAGE_FAILED: 'A file system that was mounted read-only after an error is the most common cause: see dmesg and findmnt.',
  LOCAL_UNSUPPORTED:
    'A name without a host means the machine on which the command runs. With GEARD_SOCKET set, the local agent is whoever listens there, such as the end of an SSH tunnel: ssh -L /tmp/gear.sock:/run/gear/gear.sock HOST.',
  WRITER_BUSY:
    'One process writes at a time: the agent, or a command while no agent runs. The lock ends with its process, however that ends.',
  HOST_UNREACHABLE:
    'The connection was refused, timed out, or broke before an answer. A change may have arrived; sending it again with the same command does no harm.',
  REPLY_UNEXPECTED: 'Something else listens at that address, or a proxy in between answered.',
  INTERNAL: 'The stack is in the log of the agent under the request id, or on the terminal where the command did the work itself.',
}
