/** The port to the network stack: whether a port is free, who is at the other end of a connection, and guarded fetching of text. */
export interface Network {
  /**
   * Whether something could listen on the TCP port of all addresses now. Finding out occupies the port for an instant, so it is for ports that are
   * to be reserved, not for those of what is being started.
   */
  isPortFree(port: number): Promise<boolean>
  /**
   * The user id of the program at the other end of a TCP connection within this host, given as the accepting side sees it (Node's socket
   * has the fields under these names). Undefined when the other end is not on this host or the connection is gone.
   */
  ownerOfConnection(connection: Connection): Promise<number | undefined>
  /** Whether a host name is, or stands for, an address that `fetchText` refuses; one that nobody knows does not. */
  isOwnOrLocal(host: string): Promise<boolean>
  /**
   * GET of a text, bounded in time and size. Unless `mayReachHost`, addresses that are loopback, link-local, unspecified, multicast or
   * the host's own, or of a network that an engine keeps within the host, are refused, for every address a name resolves to and again after each redirect (the connection goes to the
   * address that was checked). Errors: ENVIRONMENT_FETCH_FAILED; when the answer was not the text, its status is in `data.status`.
   */
  fetchText(
    url: string,
    options: { readonly maxBytes: number; readonly timeoutMs: number; readonly mayReachHost: boolean },
  ): Promise<string>
  /** POST of a JSON text, with the bounds and guards of `fetchText`; the status of the answer, whatever it is. Errors: CALLBACK_FAILED. */
  postJson(url: string, json: string, options: { readonly timeoutMs: number; readonly mayReachHost: boolean }): Promise<number>
}

/** A TCP connection as the side that accepted it sees it. */
export interface Connection {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}
