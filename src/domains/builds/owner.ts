/** Whose the files of a build are in its container: the user it runs as, by numbers, as the engine finds them (Dockerfile's USER). Pure. */
import type { Owner } from '../../host/index.ts'

export const root: Owner = { uid: 0, gid: 0 }

/** Of a text that has no number, the image's own files say what it stands for; undefined when they do not. */
export function ownerOf(user: string, files: { readonly passwd: string; readonly group: string }): Owner | undefined {
  const [name = '', groupName] = user.split(':')
  const account = lineOf(files.passwd, name, 2)
  const uid = numberOf(name) ?? numberOf(account?.[2])
  const gid =
    groupName === undefined ? (numberOf(account?.[3]) ?? 0) : (numberOf(groupName) ?? numberOf(lineOf(files.group, groupName, 2)?.[2]))
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

/** Which files of the image `ownerOf` has to see for this user. */
export function ownerNeeds(user: string): { readonly passwd: boolean; readonly group: boolean } {
  const [name, groupName] = user.split(':')
  const isGroupNamed = groupName !== undefined && numberOf(groupName) === undefined
  return { passwd: groupName === undefined || numberOf(name) === undefined, group: isGroupNamed }
}

export function isRoot(user: string): boolean {
  return user === '' || /^(?:root|0)(?::(?:root|0))?$/.test(user)
}

/** By name, or by the number that is in this place. */
function lineOf(text: string, name: string, place: number): readonly string[] | undefined {
  const lines = text.split('\n').map(line => line.split(':'))
  return lines.find(parts => parts[0] === name) ?? lines.find(parts => parts[place] === name)
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
