// The large buffers. Only one protocol runs at a time, so a module that speaks both has them once.

import { CONNECT_BYTES, RECEIVE_BYTES, TOPIC_NAMES_BYTES, TRANSMIT_BYTES } from '../limits';

/** Bytes that arrived: of a stream as they come, of a datagram link one message. */
export const receiveArea = memory.data(RECEIVE_BYTES, 8);

/** Bytes on their way to the link. */
export const transmitArea = memory.data(TRANSMIT_BYTES, 8);

/** What is kept for a connection: MQTT's CONNECT, or the names of MQTT-SN's topics, which are shorter. */
export const connectionArea = memory.data(isDefined(MQTT) ? CONNECT_BYTES : TOPIC_NAMES_BYTES, 8);
