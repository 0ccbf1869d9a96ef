/** Where a datagram came from. `host` is an IP address, with the zone of a link-local one of IPv6. */
export interface Sender {
  host: string;
  port: number;
}

/** What a link tells its owner. Calls come between steps of the module, never from within open(), send() or close(). */
export interface LinkListener {
  opened(): void;
  /** Bytes that arrived, or one whole datagram and, where the network tells, its sender; the receiver copies what it keeps. */
  received(chunk: Uint8Array, from?: Sender): void;
  /** The link takes bytes again after send() answered 0. */
  writable(): void;
  /** The link is gone or could not be opened: a REASON_… and, for people, what the system said. Nothing follows it. */
  closed(reason: number, message: string): void;
}

/** One opening of a connection to a peer. */
export interface Link {
  /** Whether it carries datagrams: send() then takes all or nothing, and what arrives faster than it is read is dropped. */
  readonly datagrams?: true;
  /** Takes bytes (they are copied before it returns) and answers how many; 0 while it is busy. */
  send(bytes: Uint8Array): number;
  /** Stops and resumes reading from the peer. */
  pause(): void;
  resume(): void;
  /** Sends what was taken, then closes. The listener hears nothing more. */
  close(): void;
}

/** Starts opening a link; what comes of it is told to the listener. */
export type OpenLink = (listener: LinkListener) => Link;

/** Where gateways are searched (SN 6.1), and how to reach one that was found. */
export interface Discovery {
  /** Opens the searching link: it sends to the place of the search and hears whoever answers or advertises there. */
  search: OpenLink;
  /**
   * How to open a link to a gateway: the sender of a datagram, or the network address of a GWINFO (4 or 6 bytes of IPv4, 16 or 18 of IPv6, the
   * longer ones with a big-endian port at the end). Undefined when that is no address of one host.
   */
  gateway(address: Sender | Uint8Array): OpenLink | undefined;
}

/** The largest message that is wanted where nobody says otherwise, in bytes. */
export const LARGEST_MESSAGE = 16 * 1024 * 1024;
