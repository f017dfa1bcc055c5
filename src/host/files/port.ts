/**
 * The port to the file system, in the few forms gear uses. State is files an administrator can read: a write is written beside,
 * synced and renamed. Making a change durable costs a sync of the folder; callers collect the folders they changed and sync them once.
 * No call follows a symbolic link at the last component unless it says so. Errors: DISK_FULL for ENOSPC and EDQUOT, else
 * STORAGE_FAILED with path, operation and cause; absence is a value, not an error.
 */
export interface FileEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

/** Held until disposed of, or until the process ends, however it ends. */
export interface Lock extends AsyncDisposable {
  readonly path: string
}

export interface Files {
  /** The text, or undefined when the file is not there. More than `maxBytes` (1 MiB) is STORAGE_FAILED. Does not follow links. */
  read(path: string, maxBytes?: number): Promise<string | undefined>
  /** Replaces the content atomically and durably but for the folder's own sync; mode is exact (no umask). A link is replaced, not followed. */
  write(path: string, text: string, mode: number): Promise<void>
  /** Appends to the file (made with the mode when absent) and syncs it. One write: readers see all of it or nothing. */
  append(path: string, text: string, mode: number): Promise<void>
  /**
   * Makes the folder and its parents; every folder made gets the mode exactly. Existing ones, and links to folders, stay as they are.
   * Returns the folders that got a new entry: they are the ones to sync.
   */
  makeFolder(path: string, mode: number): Promise<readonly string[]>
  /** What is in a folder, sorted by name; nothing when it is absent. A link to a folder is followed. Unfinished writes are left out. */
  list(folder: string): Promise<readonly FileEntry[]>
  exists(path: string): Promise<boolean>
  modifiedMs(path: string): Promise<number | undefined>
  /** Target of a symbolic link, or undefined when there is no link. */
  readLink(path: string): Promise<string | undefined>
  /** Makes a symbolic link; false when something has that name already. */
  link(target: string, path: string): Promise<boolean>
  /** Makes or replaces a symbolic link atomically. */
  relink(target: string, path: string): Promise<void>
  /** Makes `path` a hard link to `target`, replacing what is there atomically (via `target.replace.tmp`, spec §5.4). */
  hardLinkOver(target: string, path: string): Promise<void>
  /** Gives a folder another name in the same file system, whole; false when something has that name or the folder is not there. */
  moveFolder(from: string, to: string): Promise<boolean>
  /** Removes a file or link; absence is no error. True when something was removed. */
  remove(path: string): Promise<boolean>
  /** Removes a folder and all in it without following links, whoever changes it meanwhile; absence is no error. Also takes a file or link. */
  removeTree(path: string): Promise<boolean>
  /** Removes a folder if it is empty (left-overs of crashed writes do not count); one that is not, or is no folder, is no error. */
  removeEmptyFolder(path: string): Promise<void>
  /** Makes changes of names in these folders durable, all at once. Missing folders are no error. */
  syncFolders(folders: Iterable<string>): Promise<void>
  /** Takes the lock that the file stands for (made 0600 when absent), or undefined at once when anybody else has it, in any process. */
  lock(path: string): Promise<Lock | undefined>
}

/** What `read` takes when it is not told otherwise. */
export const readBytesMax = 1_048_576

/** How unfinished writes are named; a crash may leave one behind. */
export const unfinishedPrefix = '.gear-tmp-'
