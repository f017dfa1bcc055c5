/** What to do about refusals of the other side, which git and ssh tell without a word of it. Pure. */

/** `who` is the account that git runs as, for people. */
export function adviceOn(said: string, who: string): string | undefined {
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)) {
    return `the host has another key than the one that ${who} knows: find out why before you replace it in known_hosts`
  }
  if (/Host key verification failed/.test(said)) {
    return `the key of the host is not known to ${who}: compare what ssh-keyscan prints with what its administrator says, and add it to /etc/ssh/ssh_known_hosts, or to .ssh/known_hosts in the home of ${who}`
  }
  if (/Permission denied \([a-z,-]*publickey/.test(said)) {
    return `the host lets no key of ${who} in: put one that it knows into .ssh in the home of ${who}, where it is readable for nobody else`
  }
  if (/certificate verification failed|SSL certificate problem|certificate subject name|certificate.*not trusted/i.test(said)) {
    return 'the certificate of the host is not trusted here: if its authority is your own, add that to this host (on Debian: a .crt in /usr/local/share/ca-certificates, then update-ca-certificates)'
  }
  return undefined
}
