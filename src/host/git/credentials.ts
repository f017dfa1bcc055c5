/**
 * Users and passwords in addresses. Every user of a host can read the arguments of a program, so git is given the address without them, and asks for them
 * when the other side does.
 */

export interface Credentials {
  /** The address without them. */
  readonly address: string
  readonly settings: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, string>>
}

/** git runs it by a shell when the host of the address wants to know who asks (gitcredentials(7)), so it is the same for all. */
const helper = '!f() { [ "$1" != get ] || printf "username=%s\\npassword=%s\\n" "$GEAR_GIT_USER" "$GEAR_GIT_PASSWORD"; }; f'

/** What to give git of an http address that names a user; of others, the address as it is. */
export function withoutCredentials(address: string): Credentials {
  const [, scheme = '', user = '', host = '', path = ''] = /^(https?:\/\/)([^/?#]*)@([^/?#@]+)(.*)$/i.exec(address) ?? []
  if (user === '') return { address, settings: {}, variables: {} }
  const colon = user.indexOf(':')
  const [name, password] = colon < 0 ? [user, ''] : [user.slice(0, colon), user.slice(colon + 1)]
  return {
    address: `${scheme}${host}${path}`,
    settings: { [`credential.${scheme}${host}.helper`]: helper },
    variables: { GEAR_GIT_USER: oneLine(decoded(name)), GEAR_GIT_PASSWORD: oneLine(decoded(password)) },
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A second line would be one more word for git, such as another host. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '')
}
