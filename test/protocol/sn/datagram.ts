export type Side = 'client' | 'gateway';

/** One datagram of a conversation between a client and a gateway. */
export interface Datagram {
  readonly from: Side;
  readonly bytes: Uint8Array;
  /** When it was seen, in ms of any origin. */
  readonly at?: number;
  /** It was taken out of the network and did not reach the other side. */
  readonly lost?: boolean;
}
