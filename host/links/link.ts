/** What a link tells its owner. Calls come between steps of the module, never from within open(), send() or close(). */
export interface LinkListener {
  opened(): void;
  /** Bytes that arrived; the receiver copies what it keeps. */
  received(chunk: Uint8Array): void;
  /** The link takes bytes again after send() answered 0. */
  writable(): void;
  /** The link is gone or could not be opened: a REASON_… and, for people, what the system said. Nothing follows it. */
  closed(reason: number, message: string): void;
}

/** One opening of a connection to a peer. */
export interface Link {
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
