import type { QoS } from '../options.js';

/** A message, and the will of a client. */
export interface Publication {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
}
