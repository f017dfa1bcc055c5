/** What to do about refusals of the other side, which git and ssh tell without a word of it. Pure. */

/** Why the other side was not reached, or did not give anything. */
export type Refusal = 'hostChanged' | 'hostUnknown' | 'keyRefused' | 'certificate'

const signs: readonly (readonly [Refusal, RegExp])[] = [
  ['hostChanged', /REMOTE HOST IDENTIFICATION HAS CHANGED/],
  ['hostUnknown', /Host key verification failed/],
  ['keyRefused', /Permission denied \([a-z,-]*publickey/],
  ['certificate', /certificate verification failed|SSL certificate problem|certificate subject name|certificate.*not trusted/i],
]

export function refusalIn(said: string): Refusal | undefined {
  return signs.find(([, sign]) => sign.test(said))?.[0]
}

export interface AdviceOptions {
  /** The key that ssh showed, where it is one that gear made for this. */
  readonly publicKey?: string | undefined
  /** Fingerprints of the keys by which the other host shows itself. */
  readonly shown?: readonly string[] | undefined
}

/** `who` is the account that git runs as, for people. */
export function adviceOn(refusal: Refusal, who: string, { publicKey, shown }: AdviceOptions = {}): string {
  switch (refusal) {
    case 'hostChanged':
      return `the host has another key than the one that ${who} knows: find out why before you replace it in known_hosts`
    case 'hostUnknown':
      return shown === undefined || shown.length === 0 ? unknownHost(who) : shownHost(who, shown, publicKey)
    case 'keyRefused':
      return publicKey === undefined
        ? `the host lets no key of ${who} in: put one that it knows into .ssh in the home of ${who}, where it is readable for nobody else`
        : `the host does not let the key of ${who} in: add it there, as one that may read (a deploy key), and do the same again: ${publicKey}`
    case 'certificate':
      return 'the certificate of the host is not trusted here: if its authority is your own, add that to this host (on Debian: a .crt in /usr/local/share/ca-certificates, then update-ca-certificates)'
  }
}

function unknownHost(who: string): string {
  return `the key of the host is not known to ${who}: compare what ssh-keyscan prints with what its administrator says, and add it to /etc/ssh/ssh_known_hosts, or to .ssh/known_hosts in the home of ${who}`
}

function shownHost(who: string, shown: readonly string[], publicKey: string | undefined): string {
  const key = publicKey === undefined ? '' : `. The key of ${who}, which has to be let in there: ${publicKey}`
  return `the host is not known to ${who}. It shows ${shown.join(', ')}: compare that with what its administrator says, and give one of them with --host-key; or add the host to /etc/ssh/ssh_known_hosts${key}`
}
