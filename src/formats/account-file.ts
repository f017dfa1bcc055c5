/**
 * The accounts of `/etc/passwd` (passwd(5)): a line `login:password:uid:gid:comment:home:shell` for each. The comment is the GECOS field, whose
 * first part, up to a comma, is the name. Lines that are not of this form are passed over, as the C library does.
 */
export interface Account {
  readonly login: string
  readonly uid: number
  readonly gid: number
  /** The name of the GECOS field: what stands before its first comma. */
  readonly comment: string
  readonly home: string
  readonly shell: string
}

export function parseAccountFile(text: string): readonly Account[] {
  return text.split('\n').flatMap(line => parseAccountLine(line) ?? [])
}

/** The first account of the login, without looking closely at the others. */
export function findAccount(text: string, login: string): Account | undefined {
  for (const line of text.split('\n')) {
    const entry = line.startsWith(`${login}:`) ? parseAccountLine(line) : undefined
    if (entry !== undefined) return entry
  }
  return undefined
}

const idMax = 0xffff_fffe

function parseAccountLine(line: string): Account | undefined {
  const [login = '', , uid = '', gid = '', comment = '', home = '', shell, ...more] = line.split(':')
  if (login === '' || /^[+-]/.test(login) || shell === undefined || more.length > 0 || !isNumber(uid) || !isNumber(gid)) return undefined
  return { login, uid: Number(uid), gid: Number(gid), comment: comment.split(',')[0] ?? '', home, shell }
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= idMax
}
